"""Feetech's protocol through feetech-servo-sdk's packet handler."""

from collections.abc import Mapping, Sequence

from scservo_sdk.protocol_packet_handler import protocol_packet_handler
from scservo_sdk.scservo_def import (
    BROADCAST_ID,
    COMM_RX_CORRUPT,
    COMM_SUCCESS,
    INST_PING,
    INST_READ,
    MAX_ID,
)

from lerobot.feetech.tables import ALERTS
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.wire import DAMAGED, LOST, Outcome, Reply, Wire, collect

ID, LENGTH, INSTRUCTION, ERROR, PARAMETER = 2, 3, 4, 4, 5
MODEL_NUMBER = (3, 2)
PING_REPLY_BYTES = 6

REPLY_WAIT_S = 0.05
"""The vendor's own value for the time a USB adapter may hold an answer back."""


class FeetechWire(Wire):
    """Protocol 0 (STS, SMS: little-endian) or 1 (SCS: big-endian, no group reads, no broadcast ping).

    The SDK keeps the byte order in a global of its module, so two buses of different protocols would read each
    other's; here it belongs to the bus and the SDK sees bytes only.
    """

    def __init__(self, port: SerialPort, protocol: int) -> None:
        super().__init__(port)
        self.packet_handler = protocol_packet_handler()
        self.byte_order = "big" if protocol else "little"
        self.broadcasts_ping = self.groups_reads = not protocol

    def ping(self, motor_id: int) -> Reply:
        """See `Wire.ping`; asks for the model number with a second packet, because a ping does not return it."""
        _, result, error = self.packet_handler.txRxPacket(self.port, [0, 0, motor_id, 2, INST_PING, 0])
        answered = self._reply(error, result)
        if answered.outcome is not Outcome.OK:
            return answered
        return self.read(motor_id, *MODEL_NUMBER)

    def broadcast_ping(self) -> dict[int, list[Reply]]:
        """See `Wire.broadcast_ping`; waits until the motor with the largest id had its turn."""
        self._send([0, 0, BROADCAST_ID, 2, INST_PING, 0])
        self.port.setPacketTimeoutMillis(3 * MAX_ID + 16 + 10_000 * PING_REPLY_BYTES * MAX_ID / self.port.baudrate)
        found: dict[int, list[Reply]] = {}
        while not self.port.isPacketTimeout():
            sender, reply = self._receive()
            if sender is not None:
                found.setdefault(sender, []).append(reply)
        return found

    def read(self, motor_id: int, address: int, length: int) -> Reply:
        """See `Wire.read`."""
        request = [0, 0, motor_id, 4, INST_READ, address, length, 0]
        packet, result, error = self.packet_handler.txRxPacket(self.port, request)
        reply = self._reply(error, result, _data(packet) if result == COMM_SUCCESS else None)
        # A late answer to another read is a whole packet too; the SDK's own read would cut it to this length.
        return reply if reply.outcome is not Outcome.OK or len(reply.data) == length else DAMAGED

    def write(self, motor_id: int, address: int, data: bytes) -> Reply:
        """See `Wire.write`."""
        result, error = self.packet_handler.writeTxRx(self.port, motor_id, address, len(data), list(data))
        return self._reply(error, result)

    def sync_read(self, motor_ids: Sequence[int], address: int, length: int) -> dict[int, Reply]:
        """See `Wire.sync_read`."""
        sent = self.packet_handler.syncReadTx(self.port, address, length, list(motor_ids), len(motor_ids))
        if sent != COMM_SUCCESS:
            return dict.fromkeys(motor_ids, LOST)
        self.port.setPacketTimeout((6 + length) * len(motor_ids))
        return collect(motor_ids, length, self._receive, self.port.isPacketTimeout)

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """See `Wire.sync_write`."""
        length = len(next(iter(data.values())))
        parameters = [byte for motor_id, value in data.items() for byte in (motor_id, *value)]
        self.packet_handler.syncWriteTxOnly(self.port, address, length, parameters, len(parameters))

    def _send(self, packet: list[int]) -> None:
        self.packet_handler.txPacket(self.port, packet)
        self.port.is_using = False

    def _receive(self) -> tuple[int | None, Reply]:
        packet, result = self.packet_handler.rxPacket(self.port)
        if result != COMM_SUCCESS:
            return None, self._reply(0, result)
        return packet[ID], self._reply(packet[ERROR], result, _data(packet))

    @staticmethod
    def _reply(error: int, result: int, data: Sequence[int] | None = None) -> Reply:
        if result == COMM_SUCCESS:
            alerts = tuple(name for bit, name in ALERTS.items() if error & bit)
            return Reply(Outcome.OK, bytes(data or b""), alerts)
        return DAMAGED if result == COMM_RX_CORRUPT else LOST


def _data(packet: Sequence[int]) -> Sequence[int]:
    return packet[PARAMETER : packet[LENGTH] + 3]
