"""Configuration of engines of TensorRT. Light: it imports no array library."""

from typing import Literal

from pydantic import Field

from lerobot.policies.formats import TOLERANCE, TypedFormatConfig


class TensorRtConfig(TypedFormatConfig):
    """For NVIDIA's GPUs: an engine of TensorRT, or the ONNX file it is built of."""

    target = "lerobot.tensorrt.format:TensorRtFormat"
    ending = "engine"

    type: str = "tensorrt"
    output: Literal["engine", "onnx"] = Field(
        default="engine",
        description="engine: for the GPU and the TensorRT of this machine, and no others; onnx: what trtexec builds "
        "one of, on the machine that will run it.",
    )
    dtype: Literal["float32", "float16"] = Field(
        default="float32", description="What an engine may compute in; float16 where it is faster."
    )
    max_batch: int = Field(default=1, ge=1, description="Observations at once: from 1 to as many.")

    @property
    def file_name(self) -> str:
        """See `ExportFormatConfig.file_name`."""
        return "policy.tensorrt.onnx" if self.output == "onnx" else super().file_name

    @property
    def tolerance(self) -> float:
        """See `ExportFormatConfig.tolerance`; in an ONNX file nothing is rounded yet."""
        return super().tolerance if self.output == "engine" else TOLERANCE

    @property
    def batches(self) -> tuple[int, int]:
        """See `ExportFormatConfig.batches`."""
        return 1, self.max_batch
