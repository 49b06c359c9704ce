"""Files of ONNX whose layers have weights in 8 bits."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.layers import chosen_layers
from lerobot.policies.export.onnx import folded, make_model, require_onnx, run_model
from lerobot.policies.export.parity import Run
from lerobot.policies.export.program import Trace
from lerobot.policies.formats import OnnxInt8Config

_KINDS = {"linear": ("MatMul", "Gemm"), "convolution": ("Conv",)}
"""ONNX's operators, by kind of layer."""


class OnnxInt8Format(ExportFormat):
    """See `OnnxInt8Config`."""

    label = "the int8 ONNX file"
    config: OnnxInt8Config

    def require(self) -> None:
        """Check that the extra is installed; see `ExportFormat.require`."""
        require_onnx()

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Write the model, and round the weights of its layers.

        Raises:
            LeRobotError: torch makes none of the policy, or a pattern fits no layer.
        """
        from onnxruntime.quantization import QuantType, quantize_dynamic

        model = make_model(trace, description)
        layer_of = {node.name: _layer_of(node) for node in model.graph.node}
        # Weights that are cut or turned are then there as they are multiplied by.
        model = folded(model, path)
        layers = _layers(model, layer_of, self.config.kinds)
        rounded = [node for name in chosen_layers(list(layers), self.config) for node in layers[name]]
        _turn_weights(model, rounded)
        root = logging.getLogger()
        level = root.level
        try:
            # It recommends what was done, by the root logger.
            root.setLevel(logging.ERROR)
            quantize_dynamic(
                model,
                str(path),
                op_types_to_quantize=["MatMul", "Conv"],
                per_channel=self.config.per_channel,
                weight_type=QuantType.QInt8,
                # What was a Gemm is a product and a sum by then.
                nodes_to_quantize=[*rounded, *(f"{name}_MatMul" for name in rounded)],
                extra_options={"MatMulConstBOnly": True},
            )
        finally:
            root.setLevel(level)

    def load(self, path: Path, names: Sequence[str]) -> Run:  # noqa: ARG002 - inputs are given by name
        """Run it by ONNX Runtime."""
        return run_model(path)


def _layers(model: Any, layer_of: Mapping[str, str], kinds: Sequence[str]) -> dict[str, list[str]]:
    """Names of nodes by the layer of the policy they are of, as far as they have weights that are there beforehand."""
    weights = {each.name for each in model.graph.initializer}
    found: dict[str, list[str]] = {}
    for node in model.graph.node:
        if any(node.op_type in _KINDS[kind] for kind in kinds) and node.input[1] in weights:
            found.setdefault(layer_of.get(node.name, node.name), []).append(node.name)
    return found


def _turn_weights(model: Any, names: Collection[str]) -> None:
    """Turn the weights of Gemms as a product has them, each once.

    ONNX Runtime's quantizer turns them at every Gemm, and so back again those that a loop uses twice.
    """
    from onnx import numpy_helper

    weights = {each.name: each for each in model.graph.initializer}
    for node in model.graph.node:
        turn = next((each for each in node.attribute if each.name == "transB"), None)
        if node.name not in names or turn is None or not turn.i:
            continue
        turned = f"{node.input[1]}.turned"
        if turned not in weights:
            values = numpy_helper.to_array(weights[node.input[1]])
            weights[turned] = numpy_helper.from_array(values.T.copy(), turned)
            model.graph.initializer.append(weights[turned])
        node.input[1], turn.i = turned, 0


def _layer_of(node: Any) -> str:
    """The innermost module of the policy that a node is of; torch notes `/outer: Class/inner: Class/...`."""
    said = next((each.value for each in node.metadata_props if each.key == "namespace"), "")
    modules = [part.rpartition(": ")[0] for part in said.split("/")]
    inside = [name.removeprefix("policy.") for name in modules if name.startswith("policy.")]
    return inside[-1] if inside else str(node.name)
