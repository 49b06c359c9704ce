"""Configuration of engines of TensorRT. Light: it imports no array library."""

from typing import Literal

from pydantic import Field

from lerobot.policies.formats import ExportFormatConfig


class TensorRtConfig(ExportFormatConfig):
    """For NVIDIA's GPUs: an engine of TensorRT, or the ONNX file it is built of."""

    target = "lerobot.tensorrt.format:TensorRtFormat"

    type: str = "tensorrt"
    output: Literal["engine", "onnx"] = Field(
        default="engine",
        description="engine: for the GPU and the TensorRT of this machine, and no others; onnx: what trtexec builds "
        "one of, on the machine that will run it.",
    )
    max_batch: int = Field(default=1, ge=1, description="Observations at once: from 1 to as many.")

    @property
    def file_name(self) -> str:
        """See `ExportFormatConfig.file_name`."""
        return "policy.engine" if self.output == "engine" else "policy.tensorrt.onnx"

    @property
    def batches(self) -> tuple[int, int]:
        """See `ExportFormatConfig.batches`."""
        return 1, self.max_batch
