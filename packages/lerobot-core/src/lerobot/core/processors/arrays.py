"""The little this package asks of arrays, whichever framework they belong to."""

from collections.abc import Sequence
from typing import Any

from lerobot.core.errors import FeatureMismatchError


def is_array(value: Any) -> bool:
    """Whether a value is an array with at least one axis: a numpy array, a torch tensor, ..."""
    return bool(getattr(value, "shape", ()))


def as_vector(action: Any, size: int | None = None) -> Any:
    """Check that a policy action is one vector, also as a batch of one.

    Args:
        action: array `(Da,)` or `(1, Da)` of any framework.
        size: number of elements it must have; None if any.

    Returns:
        The array `(Da,)`, a view of the given one.

    Raises:
        FeatureMismatchError: it is no such array.
    """
    shape = tuple(getattr(action, "shape", ()))
    vector = action[0] if len(shape) == 2 and shape[0] == 1 else action
    if len(getattr(vector, "shape", ())) != 1 or (size is not None and vector.shape[0] != size):
        given = f"an array of shape {shape}" if shape else f"a {type(action).__name__}"
        wanted = f"({size},) or (1, {size})" if size is not None else "(n,) or (1, n)"
        raise FeatureMismatchError(
            f"the policy action is {given}", keys=["action"], expected=f"one vector, of shape {wanted}"
        )
    return vector


def vector_like(values: Sequence[float], reference: Any) -> Any:
    """Make a vector with the framework, dtype and device of another array."""
    if hasattr(reference, "new_tensor"):
        return reference.new_tensor(values)
    import numpy as np

    return np.asarray(values, dtype=reference.dtype)


def float32_vector(values: Sequence[float]) -> Any:
    """Make a numpy vector, float32."""
    import numpy as np

    return np.asarray([float(value) for value in values], dtype=np.float32)
