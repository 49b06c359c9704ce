"""Files of OpenVINO: `policy.xml`, the program, and `policy.bin`, the weights."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import openvino

from lerobot.core.errors import LeRobotError
from lerobot.openvino.config import OpenVinoConfig
from lerobot.policies.export.format import METADATA, ExportFormat
from lerobot.policies.export.onnx import make_model, require_onnx, shorten_weights
from lerobot.policies.export.parity import Observations, Run
from lerobot.policies.export.program import Trace

_LONGEST = 400
"""Of what OpenVINO says."""


class OpenVinoFormat(ExportFormat):
    """See `OpenVinoConfig`."""

    label = "the OpenVINO file"
    config: OpenVinoConfig

    def require(self) -> None:
        """Check that what it is converted from can be written; see `ExportFormat.require`."""
        require_onnx()

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Convert the ONNX model of the policy, and write it.

        Raises:
            LeRobotError: torch makes no ONNX model of the policy, or OpenVINO none of that.
        """
        with TemporaryDirectory() as folder:
            source = Path(folder) / "policy.onnx"
            made = _kept_apart(make_model(trace, description))
            if self.config.dtype != "float32":
                shorten_weights(made, self.config.dtype)
            onnx.save(made, str(source))
            try:
                with _logging_kept():
                    model = openvino.convert_model(source)
            except Exception as error:  # its errors have no class in common
                raise LeRobotError(f"OpenVINO cannot convert it: {_reason(error)}") from error
            model.set_rt_info(json.dumps(description), METADATA)
            # Compressed, it would round the statistics of the processors too.
            openvino.save_model(model, path, compress_to_fp16=False)

    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Run it by OpenVINO, on the CPU.

        Raises:
            LeRobotError: OpenVINO cannot run it here.
        """
        # Some processors would compute in bfloat16 unless told otherwise.
        exact = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        try:
            model = openvino.Core().compile_model(path, "CPU", exact)
        except RuntimeError as error:
            raise LeRobotError(f"OpenVINO cannot run it: {error}".splitlines()[0]) from error

        def run(observations: Observations) -> Any:
            found = model({name: observations[name] for name in names})
            return found[model.output(0)].copy()

        return run


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Put the root logger back, which OpenVINO silences and leaves so when a conversion fails."""
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters[:], root.handlers[:] = filters, handlers


def _reason(error: Exception) -> str:
    """What OpenVINO lacks, in one line: it begins with where in its own code that was said."""
    lines = str(error).splitlines()
    told = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    return " ".join(" ".join(told or lines).split())[:_LONGEST]


def _kept_apart(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep differences from being multiplied out.

    OpenVINO makes `x / s - m / s` of `(x - m) / s`. Of a joint that never moved in the dataset `s` is 1e-8, and what is
    left of the two large numbers is rounding. It leaves alone what is limited in between, here to all there are.
    """
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    numbers = {each.name for each in model.graph.initializer if each.data_type == floats}
    largest = float(np.finfo(np.float32).max)
    limits = [
        helper.make_tensor(f"{name}_number", floats, (), [value])
        for name, value in (("least", -largest), ("largest", largest))
    ]
    model.graph.initializer.extend(limits)
    nodes = []
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type == "Sub" and numbers.intersection(node.input):
            difference = f"{node.output[0]}_difference"
            nodes.append(helper.make_node("Clip", [difference, *(each.name for each in limits)], [node.output[0]]))
            node.output[0] = difference
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
