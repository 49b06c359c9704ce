"""Packets of FashionStar's smart servos on a serial line, both ways.

Source: a session of motorbridge-smart-servo 0.0.4 that was recorded on virtual servos.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

REQUEST, REPLY = b"\x12\x4c", b"\x05\x1c"
"""Beginning of a packet to the servos, and of one from them."""
OVERHEAD = 5
"""Bytes of a packet beside its content."""

PING, RESET_TURNS, MONITOR, SET_ORIGIN, STOP, SYNC = 0x01, 0x11, 0x16, 0x17, 0x18, 0x19

RELEASE = bytes([0x10, 0, 0])
"""Content of `STOP`: without torque, at once."""

_MONITOR = struct.Struct("<BHHHHBih")


class Packet(NamedTuple):
    """What a packet says."""

    code: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Monitor:
    """What a servo says about itself.

    Attributes:
        id: its id.
        voltage: of its supply, volts.
        current: amperes.
        status: its fault bits; 0 if there is none.
        angle: degrees from its origin, several turns if it was turned so far.
    """

    id: int
    voltage: float
    current: float
    status: int
    angle: float


def request(code: int, content: bytes) -> bytes:
    """A packet to the servos."""
    return _packet(REQUEST, code, content)


def reply(code: int, content: bytes) -> bytes:
    """A packet from a servo."""
    return _packet(REPLY, code, content)


def sync_monitor(ids: Sequence[int]) -> bytes:
    """A packet that asks servos for their state, each in turn."""
    return request(SYNC, bytes([MONITOR, 1, len(ids), *ids]))


def take(buffer: bytearray, head: bytes) -> Packet | None:
    """Take the first whole packet out of a buffer, and all noise before it.

    Args:
        buffer: bytes that came.
        head: what a packet begins with: `REQUEST` or `REPLY`.
    """
    while (start := buffer.find(head)) >= 0:
        del buffer[:start]
        if len(buffer) < OVERHEAD or len(buffer) < OVERHEAD + buffer[3]:
            return None
        end = OVERHEAD + buffer[3]
        if sum(buffer[: end - 1]) % 256 == buffer[end - 1]:
            packet = Packet(buffer[2], bytes(buffer[4 : end - 1]))
            del buffer[:end]
            return packet
        del buffer[:1]
    del buffer[: max(0, len(buffer) - len(head) + 1)]
    return None


def read_monitor(content: bytes) -> Monitor | None:
    """What the content of a `MONITOR` says; None if it is none."""
    if len(content) != _MONITOR.size:
        return None
    servo_id, millivolt, milliampere, _milliwatt, _temperature, status, tenths, _turns = _MONITOR.unpack(content)
    return Monitor(servo_id, millivolt / 1000, milliampere / 1000, status, tenths / 10)


def monitor_content(servo_id: int, millivolt: int, tenths: int, turns: int) -> bytes:
    """The content of a `MONITOR` of a servo that rests at room temperature."""
    return _MONITOR.pack(servo_id, millivolt, 120, 888, 2048, 0, tenths, turns)


def _packet(head: bytes, code: int, content: bytes) -> bytes:
    packet = head + bytes([code, len(content)]) + content
    return packet + bytes([sum(packet) % 256])
