"""The kinds of files: how each is written, and how it is run."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require
from lerobot.policies.export.parity import Observations, Run
from lerobot.policies.export.program import Trace

OUTPUT = "action"
METADATA = "metadata"
"""Key of the description, in JSON, inside every file."""

# They say at length what they did and what they left alone.
_TALKATIVE = ("onnx_ir", "onnxscript", "torch.onnx")


class Format(NamedTuple):
    """One kind of file."""

    label: str
    """Its name in messages."""
    write: Callable[[Trace, Mapping[str, Any], Path], None]
    """Writes a traced policy and its description."""
    load: Callable[[Path, Sequence[str]], Run]
    """Makes a function of the file that runs it; the names are those of its inputs, in order."""


def _write_pt2(trace: Trace, description: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as stream, warnings.catch_warnings():
        # Said of constants that are not contiguous; whether the file holds what it must is checked by running it.
        warnings.filterwarnings("ignore", "No complete tensor found")
        torch.export.save(trace.program, stream, extra_files={METADATA: json.dumps(description)})


def _load_pt2(path: Path, names: Sequence[str]) -> Run:
    with path.open("rb") as stream:
        module = torch.export.load(stream).module()

    def run(observations: Observations) -> Any:
        with torch.inference_mode():
            return module(*(torch.from_numpy(observations[name]) for name in names)).numpy()

    return run


def _write_onnx(trace: Trace, description: Mapping[str, Any], path: Path) -> None:
    onnx = _extra("onnx")
    _extra("onnxscript")
    names = [port.name for port in trace.ports]
    with _quiet():
        made = torch.onnx.export(trace.program, input_names=names, output_names=[OUTPUT], verbose=False)
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


def _load_onnx(path: Path, _names: Sequence[str]) -> Run:
    session = _extra("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda observations: session.run([OUTPUT], observations)[0]


FORMATS = {
    "onnx": Format("the ONNX file", _write_onnx, _load_onnx),
    "pt2": Format("the torch.export file", _write_pt2, _load_pt2),
}


def require_format(name: str) -> None:
    """Check that what a format needs is installed.

    Raises:
        LeRobotError: it is not; the hint is the command that installs it.
    """
    if name == "onnx":
        for module in ("onnx", "onnxscript", "onnxruntime"):
            _extra(module)


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
