"""When a message says that it was measured."""

from typing import Any

from lerobot.mcap.message.path import FieldPath, fields_of

NANOSECONDS = 1_000_000_000

HEADER, TIMESTAMP = "header.stamp", "timestamp"
"""Where ROS and Foxglove have the stamp."""

_FORMS = (("sec", "nanosec"), ("sec", "nsec"), ("seconds", "nanos"))
"""Names of seconds and nanoseconds: ROS 2, ROS 1 and JSON, protobuf."""


def stamp_path(message: Any, given: str | None) -> FieldPath | None:
    """Where a message has its stamp; None if it has none."""
    if given is not None:
        return FieldPath(given)
    fields = fields_of(message)
    if "header" in fields:
        return FieldPath(HEADER)
    return FieldPath(TIMESTAMP) if TIMESTAMP in fields else None


def stamp_of(value: Any) -> int:
    """Nanoseconds since 1970.

    Args:
        value: seconds and nanoseconds, in one of the forms that recorders write.

    Raises:
        ValueError: it is no stamp, or 0, which senders write that measure no time.
    """
    fields = fields_of(value)
    for names in _FORMS:
        if set(names) <= set(fields):
            parts = [value[name] for name in names]
            if not all(isinstance(part, int) and not isinstance(part, bool) for part in parts):
                raise ValueError(f"its stamp is {parts[0]} and {parts[1]}, not whole seconds and nanoseconds")
            stamp = int(parts[0]) * NANOSECONDS + int(parts[1])
            if not 0 <= parts[1] < NANOSECONDS or not 0 <= stamp < 2**63:
                raise ValueError(f"its stamp is {parts[0]} s and {parts[1]} ns, which is no time")
            if stamp == 0:
                raise ValueError("its stamp is 0: the sender measured no time")
            return stamp
    raise ValueError(f"its stamp is {value!r:.60}, not seconds and nanoseconds")
