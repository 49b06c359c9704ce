"""Dynamixel protocol 2.0 through dynamixel-sdk's packet handler."""

from collections.abc import Mapping, Sequence

from dynamixel_sdk.protocol2_packet_handler import Protocol2PacketHandler
from dynamixel_sdk.robotis_def import (
    BROADCAST_ID,
    COMM_RX_CORRUPT,
    COMM_SUCCESS,
    INST_PING,
    INST_READ,
    MAX_ID,
)

from lerobot.dynamixel.tables import ALERT_BIT, REFUSALS
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.wire import DAMAGED, LOST, Outcome, Reply, Wire, collect

ID, LENGTH_LOW, LENGTH_HIGH, ERROR, PARAMETER = 4, 5, 6, 8, 9
PING_REPLY_BYTES = 14
HEADER = b"\xff\xff\xfd"

REPLY_WAIT_S = 0.034
"""Twice the 16 ms an FTDI adapter may hold an answer back, and 2 ms."""


class DynamixelWire(Wire):
    """Protocol 2.0 of the X series."""

    byte_order = "little"

    def __init__(self, port: SerialPort) -> None:
        super().__init__(port)
        self.packet_handler = Protocol2PacketHandler()

    def ping(self, motor_id: int) -> Reply:
        """See `Wire.ping`."""
        packet = [0, 0, 0, 0, motor_id, 3, 0, INST_PING, 0, 0]
        answer, result, error = self.packet_handler.txRxPacket(self.port, packet)
        return self._reply(error, result, answer[PARAMETER : PARAMETER + 2] if result == COMM_SUCCESS else None)

    def broadcast_ping(self) -> dict[int, list[Reply]]:
        """See `Wire.broadcast_ping`; waits until the motor with the largest id had its turn."""
        self.packet_handler.txPacket(self.port, [0, 0, 0, 0, BROADCAST_ID, 3, 0, INST_PING, 0, 0])
        self.port.is_using = False
        self.port.setPacketTimeoutMillis(3 * MAX_ID + 16 + 10_000 * PING_REPLY_BYTES * MAX_ID / self.port.baudrate)
        found: dict[int, list[Reply]] = {}
        while not self.port.isPacketTimeout():
            sender, reply = self._receive()
            if sender is not None:
                found.setdefault(sender, []).append(Reply(reply.outcome, reply.data[:2], reply.alerts, reply.refusal))
        return found

    def read(self, motor_id: int, address: int, length: int) -> Reply:
        """See `Wire.read`."""
        parameters = [*address.to_bytes(2, "little"), *length.to_bytes(2, "little")]
        request = [0, 0, 0, 0, motor_id, 7, 0, INST_READ, *parameters, 0, 0]
        packet, result, error = self.packet_handler.txRxPacket(self.port, request)
        reply = self._reply(error, result, _data(packet) if result == COMM_SUCCESS else None)
        # A late answer to another read is a whole packet too; the SDK's own read would cut it to this length.
        whole = len(reply.data) == length or reply.refusal
        return reply if reply.outcome is not Outcome.OK or whole else DAMAGED

    def write(self, motor_id: int, address: int, data: bytes) -> Reply:
        """See `Wire.write`."""
        stuffed = _stuff(data)
        result, error = self.packet_handler.writeTxRx(self.port, motor_id, address, len(stuffed), list(stuffed))
        return self._reply(error, result)

    def sync_read(self, motor_ids: Sequence[int], address: int, length: int) -> dict[int, Reply]:
        """See `Wire.sync_read`."""
        sent = self.packet_handler.syncReadTx(self.port, address, length, list(motor_ids), len(motor_ids), False)
        if sent != COMM_SUCCESS:
            return dict.fromkeys(motor_ids, LOST)
        self.port.setPacketTimeout((11 + length) * len(motor_ids))
        return collect(motor_ids, length, self._receive, self.port.isPacketTimeout)

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """See `Wire.sync_write`."""
        length = len(next(iter(data.values())))
        parameters = _stuff(b"".join(bytes([motor_id]) + value for motor_id, value in data.items()))
        self.packet_handler.syncWriteTxOnly(self.port, address, length, list(parameters), len(parameters))

    def _receive(self) -> tuple[int | None, Reply]:
        packet, result = self.packet_handler.rxPacket(self.port, False)
        if result != COMM_SUCCESS:
            return None, self._reply(0, result)
        return packet[ID], self._reply(packet[ERROR], result, _data(packet))

    @staticmethod
    def _reply(error: int, result: int, data: Sequence[int] | None = None) -> Reply:
        if result != COMM_SUCCESS:
            return DAMAGED if result == COMM_RX_CORRUPT else LOST
        alerts = ("hardware error",) if error & ALERT_BIT else ()
        number = error & ~ALERT_BIT
        refusal = REFUSALS.get(number, f"error number {number}") if number else ""
        return Reply(Outcome.OK, bytes(data or b""), alerts, refusal)


def _data(packet: Sequence[int]) -> Sequence[int]:
    return packet[PARAMETER : packet[LENGTH_LOW] + 256 * packet[LENGTH_HIGH] + 5]


def _stuff(parameters: bytes) -> bytes:
    """Insert the byte that keeps parameters from looking like a header.

    The SDK computes this too, but discards the result.
    """
    return parameters.replace(HEADER, HEADER + b"\xfd")
