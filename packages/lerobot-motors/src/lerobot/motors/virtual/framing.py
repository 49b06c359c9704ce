"""What framings of all protocols share; each is written from its specification, independently of the vendors' SDKs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

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
