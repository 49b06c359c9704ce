"""Gymnasium's spaces as plain values."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from lerobot.remote.wire.errors import WireError


def write_space(space: Any) -> dict[str, Any]:
    """Describe a space with numbers, text and lists.

    Raises:
        WireError: spaces of its kind are not sent.
    """
    match space:
        case spaces.Box():
            low, high = _bound(space.low), _bound(space.high)
            return {"box": list(space.shape), "dtype": str(space.dtype), "low": low, "high": high}
        case spaces.Discrete():
            return {"discrete": int(space.n), "start": int(space.start)}
        case spaces.MultiBinary():
            return {"multi_binary": list(space.shape)}
        case spaces.MultiDiscrete():
            return {"multi_discrete": space.nvec.tolist()}
        case spaces.Dict():
            # Pairs, because the order of the parts says the order of a policy's cameras.
            return {"dict": [[key, write_space(part)] for key, part in space.items()]}
    raise WireError(f"a space {type(space).__name__} cannot be sent", expected="Box, Discrete, Multi... or Dict")


def holds(space: Any, value: Any) -> bool:
    """Whether a value lies in a space; without the warnings that gymnasium has for values of a wrong type."""
    if isinstance(space, spaces.Dict):
        return (
            isinstance(value, dict) and value.keys() == space.keys() and all(holds(space[k], value[k]) for k in value)
        )
    if not isinstance(value, int | np.integer if isinstance(space, spaces.Discrete) else np.ndarray):
        return False
    return bool(space.contains(value))


def read_space(plain: Any) -> gymnasium.Space[Any]:
    """Build the space that `write_space` described.

    Raises:
        WireError: it is no such description.
    """
    try:
        return _built(plain)
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise WireError(f"a space is {str(plain)[:60]}: {error}") from error


def _built(plain: Any) -> gymnasium.Space[Any]:
    match plain:
        case {"box": shape, "dtype": str(dtype), "low": low, "high": high}:
            return spaces.Box(
                np.broadcast_to(np.asarray(low, dtype), shape), np.broadcast_to(np.asarray(high, dtype), shape),
                tuple(shape), np.dtype(dtype).type,
            )  # fmt: skip
        case {"discrete": int(count), "start": int(start)}:
            return spaces.Discrete(count, start=start)
        case {"multi_binary": shape}:
            return spaces.MultiBinary(shape[0] if len(shape) == 1 else tuple(shape))
        case {"multi_discrete": counts}:
            return spaces.MultiDiscrete(np.asarray(counts))
        case {"dict": parts}:
            return spaces.Dict({str(key): _built(part) for key, part in parts})
    raise WireError(f"a space is {str(plain)[:60]}")


def _bound(values: NDArray[Any]) -> Any:
    """One number where all are the same, as in pictures, or the list of them."""
    if values.size and (values == values.flat[0]).all():
        return values.flat[0].item()
    return values.tolist()
