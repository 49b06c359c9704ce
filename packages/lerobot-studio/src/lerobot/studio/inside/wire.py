"""The frames that a command and the studio exchange, and how each proves to the other that it is the one.

A frame is `uint32 length | uint8 kind | payload`, all big-endian. Kind J is a JSON object with a `type`; kind P is a
picture, `uint16 length | JSON header | JPEG`, which reaches the page as it is.
"""

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any, TypeAlias

from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json

FILE, RUN = "LEROBOT_STUDIO", "LEROBOT_STUDIO_RUN"
"""Variables of a command that the studio started: the file that says where the studio is, and the id of the run."""

JSON, PICTURE = ord("J"), ord("P")
HEAD = struct.Struct(">IB")
PICTURE_HEAD = struct.Struct(">H")
MAX_BYTES = 1 << 21
"""Largest payload: four times a JPEG of a full-HD camera as it is made here."""

Message: TypeAlias = dict[str, Any]


class WireError(LeRobotError):
    """What came over the connection is not of this protocol; the connection is closed."""


def frame(kind: int, payload: bytes) -> bytes:
    """Put a payload into a frame.

    Raises:
        WireError: it is too large for the other side.
    """
    if len(payload) > MAX_BYTES:
        raise WireError(f"a message has {len(payload)} bytes", expected=f"at most {MAX_BYTES}")
    return HEAD.pack(len(payload), kind) + payload


def json_frame(message: Message) -> bytes:
    """Put a message into a frame.

    Raises:
        ValueError: it holds a number that is not finite, which JSON does not have.
    """
    return frame(JSON, json.dumps(message, allow_nan=False, separators=(",", ":")).encode())


def picture_frame(header: Message, jpeg: bytes) -> bytes:
    """Put a picture into a frame."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return frame(PICTURE, PICTURE_HEAD.pack(len(text)) + text + jpeg)


def read_head(head: bytes) -> tuple[int, int]:
    """Length and kind of the payload that follows.

    Raises:
        WireError: it is too large, or of no known kind.
    """
    length, kind = HEAD.unpack(head)
    if kind not in {JSON, PICTURE} or length > MAX_BYTES:
        raise WireError(f"a frame of kind {kind} with {length} bytes", expected=f"J or P, at most {MAX_BYTES} bytes")
    return length, kind


def proof(token: str, role: str, nonce: str) -> str:
    """What only somebody who knows the token can answer to a nonce, so that the token itself stays off the wire.

    Args:
        token: the studio's secret of today.
        role: who answers, `"command"` or `"studio"`.
        nonce: what the other side asked.
    """
    return hmac.new(token.encode(), f"{role} {nonce}".encode(), hashlib.sha256).hexdigest()


def read_address(path: Path) -> tuple[int, str]:
    """Port and token of the studio that runs now.

    Raises:
        OSError: there is no such file.
        ValueError: it is not what a studio writes.
    """
    told = read_json(path)
    try:
        return int(told["port"]), str(told["token"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} does not say where the studio is") from error
