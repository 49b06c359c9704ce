"""The ONNX that TensorRT's parser takes: no double precision, only ONNX's own operators, batches of known size.

Source: docs.nvidia.com/deeplearning/tensorrt, "Operators: ONNX support"; onnx-tensorrt, `docs/operators.md`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import onnx

from lerobot.core.errors import LeRobotError
from lerobot.policies.export.onnx import folded, make_model
from lerobot.policies.export.program import Trace

OPSET = 18
"""TensorRT 10 takes 9 to 20, and torch writes 18 without rewriting it."""

_TAKEN = frozenset({"", "ai.onnx"})
_NOT_TAKEN = {
    onnx.TensorProto.DOUBLE: "float64",
    onnx.TensorProto.STRING: "strings",
    onnx.TensorProto.COMPLEX64: "complex numbers",
    onnx.TensorProto.COMPLEX128: "complex numbers",
}


def parsable_model(trace: Trace, description: Mapping[str, Any], path: Path) -> onnx.ModelProto:
    """Make the model that TensorRT is given.

    Args:
        trace: the policy; if it is not `dynamic`, the model takes one observation.
        description: JSON values, put into the model.
        path: where there is room for a file.

    Raises:
        LeRobotError: torch makes no model of the policy, or one that the parser does not take.
    """
    model = make_model(trace, description, OPSET)
    if not trace.dynamic:
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = 1
    # Much that it does not take, such as waves of known times in float64, is known beforehand.
    model = cast("onnx.ModelProto", folded(model, path))
    require_parsable(model)
    used = {node.domain for node in model.graph.node}
    kept = [each for each in model.opset_import if each.domain in used or each.domain in _TAKEN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def require_parsable(model: onnx.ModelProto) -> None:
    """Check that the parser takes a model.

    Raises:
        LeRobotError: it does not; names the operator.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.input)}
    kinds |= {weight.name: weight.data_type for weight in inferred.initializer}
    for node in inferred.node:
        if node.domain not in _TAKEN:
            raise LeRobotError(
                f"TensorRT does not know {node.domain}.{node.op_type} of {node.name!r}", expected="operators of ONNX"
            )
        for name in (*node.input, *node.output):
            if (found := _NOT_TAKEN.get(kinds.get(name, 0))) is not None:
                raise LeRobotError(
                    f"TensorRT has no {found}, and {node.op_type} {node.name!r} of the policy works on {name!r}",
                    expected="float32, float16, integers or bool; with max_batch=1 more is computed beforehand",
                )
