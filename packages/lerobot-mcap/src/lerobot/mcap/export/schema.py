"""How the messages of an export become bytes."""

from collections.abc import Mapping
from typing import Any

from lerobot.mcap.message.cdr import encode
from lerobot.mcap.message.definition import parse_definitions
from lerobot.mcap.ros_types import DEFINITIONS

_PARSED = {name: parse_definitions(name, text) for name, text in DEFINITIONS.items()}


def to_bytes(kind: str, message: Mapping[str, Any]) -> bytes:
    """A message in CDR.

    Args:
        kind: its type, one of `DEFINITIONS`.
        message: its fields.
    """
    name, definitions = _PARSED[kind]
    return encode(name, definitions, message)


def header(stamp: int) -> dict[str, Any]:
    """A header.

    Args:
        stamp: nanoseconds since 1970.
    """
    return {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}, "frame_id": ""}
