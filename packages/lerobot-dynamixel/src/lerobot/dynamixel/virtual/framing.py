"""Bytes to instructions and back: protocol 2.0, written from its specification, independently of the SDK."""

from functools import cache

from lerobot.motors.virtual.framing import Framing, Instruction


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
