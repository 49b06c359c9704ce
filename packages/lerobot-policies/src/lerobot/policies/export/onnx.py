"""Files of ONNX."""

import json
import logging
import math
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
from lerobot.policies.formats import OnnxConfig, Precision

_LONG = 256
"""Numbers of a tensor from which on it is worth while to keep them in few bits."""

# They say at length what they did and what they left alone.
_TALKATIVE = ("onnx_ir", "onnxscript", "torch.onnx")


class OnnxFormat(ExportFormat):
    """See `OnnxConfig`."""

    label = "the ONNX file"
    config: OnnxConfig

    def require(self) -> None:
        """Check that the extra is installed; see `ExportFormat.require`."""
        require_onnx()

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the model.

        Raises:
            LeRobotError: torch makes none of the policy.
        """
        model = make_model(trace, description, self.config.opset)
        if self.config.dtype != "float32":
            shorten_weights(model, self.config.dtype)
        _extra("onnx").save(model, str(path))

    def load(self, path: Path, names: Sequence[str]) -> Run:  # noqa: ARG002 - inputs are given by name
        """Run it by ONNX Runtime."""
        return run_model(path)


def require_onnx() -> None:
    """Check that what writes and runs ONNX is installed.

    Raises:
        LeRobotError: it is not; the hint is the command that installs it.
    """
    for module in ("onnx", "onnxscript", "onnxruntime"):
        _extra(module)


def make_model(trace: Trace, description: Mapping[str, Any], opset: int | None = None) -> Any:
    """Make an ONNX model of a traced policy.

    Args:
        trace: the policy.
        description: JSON values, put into the model.
        opset: version of ONNX's operators; None for torch's choice.

    Returns:
        An `onnx.ModelProto` with the inputs of the trace and one output, `action`.

    Raises:
        LeRobotError: torch makes none of the policy.
    """
    with _quiet():
        made = torch.onnx.export(
            trace.program,
            input_names=[port.name for port in trace.ports],
            output_names=[OUTPUT],
            opset_version=opset,
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
    _extra("onnx").helper.set_model_props(model, {METADATA: json.dumps(description)})
    return model


def folded(model: Any, path: Path) -> Any:
    """Do beforehand what needs no input; nodes that remain keep their names.

    Args:
        model: an `onnx.ModelProto`.
        path: where there is room for a file.
    """
    runtime = _extra("onnxruntime")
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    runtime.InferenceSession(
        model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
        # They give nodes other names.
        disabled_optimizers=["MatMulAddFusion", "ReshapeFusion"],
    )
    return _extra("onnx").load(str(path))


def run_model(path: Path) -> Run:
    """Make a function of an ONNX file that runs it by ONNX Runtime, on the CPU.

    Raises:
        LeRobotError: ONNX Runtime has no such arithmetic on this machine.
    """
    try:
        session = _extra("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        raise LeRobotError(f"ONNX Runtime cannot run it on this CPU: {error}".splitlines()[0]) from error
    return lambda observations: session.run([OUTPUT], observations)[0]


def shorten_weights(model: Any, dtype: Precision) -> None:
    """Keep the weights of a model in another type, and widen them where they are used.

    Args:
        model: an `onnx.ModelProto`, changed in place.
        dtype: of the weights.
    """
    onnx = _extra("onnx")
    kind = onnx.TensorProto.FLOAT16 if dtype == "float16" else onnx.TensorProto.BFLOAT16
    casts = []
    for weight in model.graph.initializer:
        # What is short is a bias, or a statistic of the processors, which stay exact.
        if weight.data_type != onnx.TensorProto.FLOAT or len(weight.dims) < 2 or math.prod(weight.dims) < _LONG:
            continue
        values = torch.from_numpy(onnx.numpy_helper.to_array(weight).copy()).to(getattr(torch, dtype))
        short = onnx.helper.make_tensor(
            f"{weight.name}.{dtype}", kind, weight.dims, values.view(torch.int16).numpy().tobytes(), raw=True
        )
        casts.append(onnx.helper.make_node("Cast", [short.name], [weight.name], to=onnx.TensorProto.FLOAT))
        weight.CopyFrom(short)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


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
