"""Files of ONNX."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require
from lerobot.policies.export.format import METADATA, OUTPUT, ExportFormat
from lerobot.policies.export.parity import Run
from lerobot.policies.export.program import Trace
from lerobot.policies.formats import OnnxConfig

# They say at length what they did and what they left alone.
_TALKATIVE = ("onnx_ir", "onnxscript", "torch.onnx")


class OnnxFormat(ExportFormat):
    """See `OnnxConfig`."""

    label = "the ONNX file"
    config: OnnxConfig

    def require(self) -> None:
        """Check that the extra is installed; see `ExportFormat.require`."""
        for module in ("onnx", "onnxscript", "onnxruntime"):
            _extra(module)

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the model.

        Raises:
            LeRobotError: torch makes none of the policy.
        """
        onnx = _extra("onnx")
        names = [port.name for port in trace.ports]
        with _quiet():
            made = torch.onnx.export(
                trace.program,
                input_names=names,
                output_names=[OUTPUT],
                opset_version=self.config.opset,
                verbose=False,
            )
        if made is None:
            raise LeRobotError("torch made no ONNX program of the policy")
        model = made.model_proto
        for value in (*model.graph.input, *model.graph.output):
            for size in value.type.tensor_type.shape.dim:
                if size.dim_param:
                    size.dim_param = "batch"
        # Sizes in between are named after what the batch was called.
        del model.graph.value_info[:]
        onnx.helper.set_model_props(model, {METADATA: json.dumps(description)})
        onnx.save(model, str(path))

    def load(self, path: Path, names: Sequence[str]) -> Run:  # noqa: ARG002 - inputs are given by name
        """Run it by ONNX Runtime."""
        session = _extra("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda observations: session.run([OUTPUT], observations)[0]


def _extra(module: str) -> ModuleType:
    # An extra: most who train and drive never export.
    return require(module, extra="export", needed_by="export to ONNX", distribution="lerobot-policies")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the exporters report errors only."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
