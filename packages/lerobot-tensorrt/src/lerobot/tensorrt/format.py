"""Files of TensorRT: an engine, or the ONNX it is built of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx

from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.onnx import require_onnx, run_model
from lerobot.policies.export.parity import Run
from lerobot.policies.export.program import Trace
from lerobot.tensorrt.config import TensorRtConfig
from lerobot.tensorrt.engine import build_engine, require_tensorrt, run_engine
from lerobot.tensorrt.model import parsable_model


class TensorRtFormat(ExportFormat):
    """See `TensorRtConfig`."""

    label = "the file for TensorRT"
    config: TensorRtConfig

    def require(self) -> None:
        """Check that what it is built of can be written, and TensorRT is there; see `ExportFormat.require`."""
        require_onnx()
        if self.config.output == "engine":
            require_tensorrt()

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the model, or build the engine.

        Raises:
            LeRobotError: torch makes no model of the policy, or TensorRT takes none, or is not installed.
        """
        if self.config.output == "engine":
            require_tensorrt()
        model = parsable_model(trace, description, path)
        if self.config.output == "onnx":
            onnx.save(model, str(path))
        else:
            path.write_bytes(build_engine(model.SerializeToString(), self.config.max_batch))

    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Run the engine on the GPU, or the model by ONNX Runtime on the CPU."""
        return run_model(path) if self.config.output == "onnx" else run_engine(path.read_bytes(), names)
