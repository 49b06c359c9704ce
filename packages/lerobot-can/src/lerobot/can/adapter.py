"""Damiao's own USB adapter, which carries CAN frames on a serial port.

Source: sessions of motorbridge 0.5.6 that were recorded on a virtual adapter. There is no checksum: a damaged frame is
found by its frame bytes only.
"""

import time

import serial

import can
from lerobot.can.frame import Frame

POLL_S = 0.002

SENT = bytes.fromhex("55aa1e03010000000a00000000")
"""Beginning of a frame to the adapter: length 30, send, once, 10 units apart, 11-bit id."""

RECEIVED, RECEIVED_END = bytes.fromhex("aa1108"), b"\x55"
RECEIVED_LENGTH = 16


def to_adapter(frame: Frame) -> bytes:
    """The thirty bytes that have an adapter send a frame of eight bytes."""
    return SENT + frame.id.to_bytes(4, "little") + b"\x00\x08\x00\x00" + frame.data.ljust(8, b"\x00") + b"\x00"


def from_adapter(frame: Frame) -> bytes:
    """The sixteen bytes with which an adapter hands on a frame."""
    return RECEIVED + frame.id.to_bytes(4, "little") + frame.data.ljust(8, b"\x00") + RECEIVED_END


def take_received(buffer: bytearray) -> Frame | None:
    """Take the first whole frame that an adapter has handed on out of a buffer, and all noise before it."""
    while len(buffer) >= RECEIVED_LENGTH:
        if buffer.startswith(RECEIVED) and buffer[RECEIVED_LENGTH - 1 : RECEIVED_LENGTH] == RECEIVED_END:
            frame = Frame(int.from_bytes(buffer[3:7], "little"), bytes(buffer[7:15]))
            del buffer[:RECEIVED_LENGTH]
            return frame
        start = buffer.find(RECEIVED, 1)
        del buffer[: start if start > 0 else len(buffer) - len(RECEIVED) + 1]
    return None


class DamiaoAdapter(can.BusABC):
    """The adapter as a bus of python-can.

    Args:
        channel: its serial port.
        baudrate: speed of the port.
    """

    def __init__(self, channel: str, baudrate: int) -> None:
        self._buffer = bytearray()
        self._serial = serial.Serial(channel, baudrate, timeout=POLL_S, write_timeout=1, exclusive=True)
        self.channel_info = f"Damiao adapter on {channel}"
        super().__init__(channel)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:  # noqa: ARG002 (the port has its own)
        """See `can.BusABC.send`."""
        try:
            self._serial.write(to_adapter(Frame(msg.arbitration_id, bytes(msg.data))))
        except (serial.SerialException, OSError) as error:
            raise can.CanOperationError(str(error)) from error

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            frame = take_received(self._buffer)
            if frame is not None:
                return can.Message(arbitration_id=frame.id, is_extended_id=False, data=frame.data), False
            try:
                new = self._serial.read(self._serial.in_waiting or 1)
            except (serial.SerialException, OSError) as error:
                raise can.CanOperationError(str(error)) from error
            self._buffer += new
            if not new and deadline is not None and time.monotonic() >= deadline:
                return None, False

    def shutdown(self) -> None:
        """See `can.BusABC.shutdown`."""
        super().shutdown()
        self._serial.close()

    def fileno(self) -> int:
        """File descriptor of the port."""
        return int(self._serial.fileno())
