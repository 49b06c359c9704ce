"""Bytes to instructions and back, written from the protocols' specifications, independently of the SDKs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

BROADCAST = 0xFE


@dataclass(frozen=True, slots=True)
class Instruction:
    """One packet from the host.

    Attributes:
        id: addressee; `BROADCAST` for all.
        code: what to do.
        parameters: the rest.
        raw: the whole packet.
    """

    id: int
    code: int
    parameters: bytes
    raw: bytes


PING, READ, WRITE, REG_WRITE, ACTION, REBOOT, SYNC_READ, SYNC_WRITE = 1, 2, 3, 4, 5, 8, 0x82, 0x83
"""Instruction codes, the same in both protocols."""


class Framing(ABC):
    """One protocol's packets; `address_bytes` is the width of addresses and lengths in parameters."""

    address_bytes: int

    @abstractmethod
    def take(self, buffer: bytearray) -> Instruction | None:
        """Remove the first whole packet from a buffer, and whatever garbage lies before it; None if there is none."""

    @abstractmethod
    def status(self, servo_id: int, error: int, data: bytes) -> bytes:
        """The packet a servo answers with."""

    def number(self, parameters: bytes, index: int) -> int:
        """The `index`-th address or length among parameters."""
        width = self.address_bytes
        return int.from_bytes(parameters[index * width : (index + 1) * width], "little")


class FeetechFraming(Framing):
    """`FF FF ID LEN INST P... CHK` with the inverted sum of everything after the header."""

    address_bytes = 1

    def take(self, buffer: bytearray) -> Instruction | None:
        """See `Framing.take`."""
        while True:
            start = buffer.find(b"\xff\xff")
            if start < 0:
                del buffer[: max(0, len(buffer) - 1)]
                return None
            del buffer[:start]
            if len(buffer) < 4:
                return None
            size = buffer[3] + 4
            if buffer[2] == 0xFF or buffer[3] < 2:
                del buffer[:1]
                continue
            if len(buffer) < size:
                return None
            raw = bytes(buffer[:size])
            if _sum(raw[2:-1]) == raw[-1]:
                del buffer[:size]
                return Instruction(raw[2], raw[4], raw[5:-1], raw)
            del buffer[:1]

    def status(self, servo_id: int, error: int, data: bytes) -> bytes:
        """See `Framing.status`."""
        body = bytes([servo_id, len(data) + 2, error]) + data
        return b"\xff\xff" + body + bytes([_sum(body)])


class DynamixelFraming(Framing):
    """`FF FF FD 00 ID LEN LEN INST P... CRC CRC` of protocol 2.0, parameters stuffed."""

    address_bytes = 2
    header = b"\xff\xff\xfd\x00"
    status_code = 0x55

    def take(self, buffer: bytearray) -> Instruction | None:
        """See `Framing.take`."""
        while True:
            start = buffer.find(self.header)
            if start < 0:
                del buffer[: max(0, len(buffer) - 3)]
                return None
            del buffer[:start]
            if len(buffer) < 7:
                return None
            size = int.from_bytes(buffer[5:7], "little") + 7
            if len(buffer) < size and size <= 1024:
                return None
            raw = bytes(buffer[:size])
            if 10 <= size <= 1024 and crc16(raw[:-2]) == int.from_bytes(raw[-2:], "little"):
                del buffer[:size]
                body = raw[7:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
                return Instruction(raw[4], body[0], body[1:], raw)
            del buffer[:1]

    def status(self, servo_id: int, error: int, data: bytes) -> bytes:
        """See `Framing.status`."""
        body = (bytes([self.status_code, error]) + data).replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
        packet = self.header + bytes([servo_id]) + (len(body) + 2).to_bytes(2, "little") + body
        return packet + crc16(packet).to_bytes(2, "little")


def _sum(body: bytes) -> int:
    return ~sum(body) & 0xFF


def crc16(data: bytes) -> int:
    """CRC-16 with polynomial 0x8005 and start value 0, most significant bit first."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _crc_of_byte((crc >> 8) ^ byte)
    return crc


@cache
def _crc_of_byte(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
