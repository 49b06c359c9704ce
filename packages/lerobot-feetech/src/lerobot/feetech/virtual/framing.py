"""Bytes to instructions and back: Feetech's protocol, written from its specification, independently of the SDK."""

from lerobot.motors.virtual.framing import Framing, Instruction


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


def _sum(body: bytes) -> int:
    return ~sum(body) & 0xFF
