"""How frames travel on a serial port, seen from the adapter."""

from abc import ABC, abstractmethod
from contextlib import suppress

from lerobot.can.adapter import SENT, from_adapter
from lerobot.can.frame import Frame

SENT_LENGTH = 30
BITRATES = (10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 750_000, 1_000_000)
"""Bits per second of the slcan commands S0 to S8."""
LONGEST_LINE = 32


class Adapter(ABC):
    """An adapter between a serial port and a CAN bus.

    Attributes:
        bitrate: bits per second of the CAN bus; 0 while it is closed.
    """

    bitrate = 1_000_000

    def __init__(self) -> None:
        self._buffer = bytearray()

    @abstractmethod
    def take(self, received: bytes) -> list[Frame]:
        """Frames to send onto the bus, after more bytes were received from the program."""

    @abstractmethod
    def hand_on(self, frame: Frame) -> bytes:
        """Bytes that hand a frame of the bus on to the program."""


class Slcan(Adapter):
    """An adapter that speaks text: `t0018FFFFFFFFFFFFFFFC` and a carriage return."""

    def __init__(self) -> None:
        super().__init__()
        self.bitrate = 0
        self._wanted = 1_000_000

    def take(self, received: bytes) -> list[Frame]:
        """See `Adapter.take`."""
        self._buffer += received
        *lines, rest = self._buffer.split(b"\r")
        self._buffer = bytearray(rest[-LONGEST_LINE:])
        return [frame for line in lines if (frame := self._obey(bytes(line))) is not None]

    def _obey(self, line: bytes) -> Frame | None:
        if line == b"C":
            self.bitrate = 0
        elif line == b"O":
            self.bitrate = self._wanted
        elif line[:1] == b"S" and line[1:].isdigit() and int(line[1:]) < len(BITRATES):
            self._wanted = BITRATES[int(line[1:])]
        elif line[:1] == b"t" and self.bitrate:
            with suppress(ValueError):
                data = bytes.fromhex(line[5:].decode("ascii"))
                if len(data) == int(line[4:5]):
                    return Frame(int(line[1:4], 16), data)
        return None

    def hand_on(self, frame: Frame) -> bytes:
        """See `Adapter.hand_on`."""
        return f"t{frame.id:03X}{len(frame.data)}{frame.data.hex().upper()}\r".encode("ascii")


class Damiao(Adapter):
    """Damiao's own adapter."""

    def take(self, received: bytes) -> list[Frame]:
        """See `Adapter.take`."""
        self._buffer += received
        frames = []
        while (start := self._buffer.find(SENT[:3])) >= 0 and len(self._buffer) >= start + SENT_LENGTH:
            packet = self._buffer[start : start + SENT_LENGTH]
            frames.append(Frame(int.from_bytes(packet[13:17], "little"), bytes(packet[21:29])))
            del self._buffer[: start + SENT_LENGTH]
        return frames

    def hand_on(self, frame: Frame) -> bytes:
        """See `Adapter.hand_on`."""
        return from_adapter(frame)
