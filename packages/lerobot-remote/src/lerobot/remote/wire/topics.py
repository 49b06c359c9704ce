"""The types of the messages after the beginning: what stands under the key `lerobot`, and what else each carries."""

from collections.abc import Mapping
from typing import Any

from lerobot.core.types import Features, Stamp
from lerobot.remote.wire.errors import WireError

TIME = "time"
"""Either end asks with `asked`, and the other gives it back with what its own clock shows: `now`."""
OBSERVATION = "observation"
"""Host of a robot: `values` and `stamps`."""
FRAME = "frame"
"""Host of a camera: `image`, `stamp`."""
ACTION = "action"
"""Host of a teleoperator: `values`, `stamp`, and `events` if it has any."""
COMMAND = "command"
"""Client of a robot: `values`, `number` (counted from 1) and `stamp`, of the host's clock."""
SENT = "sent"
"""Host of a robot, after each command: what the robot was sent, `values`, and the `number` of the command."""
FEEDBACK = "feedback"
"""Client of a teleoperator: `values`."""
RESET, STEP, RENDER = "reset", "step", "render"
"""Client of an environment: `seed` and `options`; `action`; nothing."""
REPLY = "reply"
"""Host of an environment: `observation`, `info`, after a step `reward` and `ended` too; or a `picture`."""
LEAVE = "leave"
"""Client: it is done; a robot's host answers with the end once the robot is in its safe state."""
ENDED = "ended"
"""Host: it is over, with the `reason`, and whether the robot is `safe`."""

HEARTBEAT_S = 0.25
"""How often a client asks for the time, which also says that it lives."""

_TYPES: dict[str, tuple[type, ...]] = {"bool": (bool,), "string": (str,)}


def number(message: Mapping[str, Any], key: str) -> float:
    """Read a number of a message.

    Raises:
        WireError: it is missing or none.
    """
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"a message has {key}={str(value)[:40]!r}", expected="a number")
    return float(value)


def values(message: Mapping[str, Any], key: str = "values") -> dict[str, Any]:
    """Read a map of values by key.

    Raises:
        WireError: it is missing or none.
    """
    found = message.get(key)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise WireError(f"a message has {key}={str(found)[:40]!r}", expected="a map with keys of text")
    return found


def fitting(message: Mapping[str, Any], features: Features, key: str = "values") -> dict[str, Any]:
    """Read values that are exactly those of features.

    Raises:
        WireError: a key is missing or too many, or a value is of another type or shape; names it.
    """
    found = values(message, key)
    if found.keys() != features.keys():
        odd = sorted(found.keys() ^ features.keys())
        raise WireError(f"a message has other keys than were agreed on: {', '.join(odd)[:200]}")
    for name, spec in features.items():
        value = found[name]
        if spec.is_scalar:
            fits = isinstance(value, _TYPES.get(spec.dtype, (int, float)))
        else:
            # Arrays are what the codec makes; anything else has neither.
            fits = not isinstance(value, str | bytes | dict | list | int | float | None) and (
                (tuple(value.shape), str(value.dtype)) == (spec.shape, spec.dtype)
            )
        if not fits:
            raise WireError(f"{name} came as {str(value)[:40]!r}", expected=f"{spec.dtype} of {spec.shape}")
    return {name: found[name] for name in features}


def plain(value: Any) -> Any:
    """A scalar of whatever library as Python's own; arrays stay arrays."""
    if isinstance(value, bool | int | float | str | bytes | None):
        return value
    return value.item() if tuple(value.shape) == () else value


def write_stamp(stamp: Stamp) -> list[Any]:
    """A stamp as the message has it."""
    return [stamp.time_s, stamp.sequence, stamp.stale]


def read_stamp(value: Any) -> Stamp:
    """A stamp of a message, on the sender's clock.

    Raises:
        WireError: it is none.
    """
    match value:
        case [int() | float() as time_s, int() | None as sequence, bool() as stale]:
            return Stamp(float(time_s), sequence, stale)
    raise WireError(f"a stamp is {str(value)[:40]!r}", expected="[time, number, stale]")
