"""Frames of Damiao motors.

Source: Damiao, user manuals of the DM-J series; checked against sessions of huggingface/lerobot 0.6.1 and motorbridge
0.5.6 that were recorded on virtual motors.
"""

import math
import struct
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from lerobot.can.drive import Drive, ForcePosition, Impedance, PositionVelocity
from lerobot.can.frame import Frame, MotorState
from lerobot.can.motor import CanModel, CanMotor
from lerobot.can.packing import to_field, unpack_feedback
from lerobot.can.protocol import Protocol

SERVICE_ID = 0x7FF
"""Arbitration id on which every motor listens; the data begins with the id of the one that is meant."""

QUERY, READ, WRITE, STORE = 0xCC, 0x33, 0x55, 0xAA


class Register(IntEnum):
    """Parameters of a motor; the manual's RID."""

    REPLY_ID = 7
    SEND_ID = 8
    TIMEOUT = 9
    CONTROL_MODE = 10
    POSITION_END = 21
    VELOCITY_END = 22
    TORQUE_END = 23
    POSITION = 80

    @property
    def is_integer(self) -> bool:
        """Whether it holds an unsigned integer; else a float."""
        return self in {Register.REPLY_ID, Register.SEND_ID, Register.TIMEOUT, Register.CONTROL_MODE}


class ControlMode(IntEnum):
    """Content of `Register.CONTROL_MODE`."""

    IMPEDANCE = 1
    POSITION_VELOCITY = 2
    VELOCITY = 3
    FORCE_POSITION = 4


MODES: Mapping[type, ControlMode] = MappingProxyType(
    {
        Impedance: ControlMode.IMPEDANCE,
        PositionVelocity: ControlMode.POSITION_VELOCITY,
        ForcePosition: ControlMode.FORCE_POSITION,
    }
)
"""Mode in which a motor understands each drive."""

FAULTS: Mapping[int, str] = MappingProxyType(
    {
        0x8: "over-voltage",
        0x9: "under-voltage",
        0xA: "over-current",
        0xB: "its transistors are too hot",
        0xC: "its winding is too hot",
        0xD: "it heard nothing for too long",
        0xE: "overload",
    }
)
"""Why a motor switched itself off, by the upper half of the first byte of its feedback; 0 is disabled, 1 enabled."""


class Damiao(Protocol):
    """Frames of Damiao motors, in every control mode that goes to positions."""

    models = MappingProxyType(
        {
            "dm3507": CanModel(12.5, 30, 10),
            "dm4310": CanModel(12.5, 30, 10, no_load_rpm=200),
            "dm4310_48v": CanModel(12.5, 50, 10),
            "dm4340": CanModel(12.5, 8, 28, no_load_rpm=52),
            "dm4340p": CanModel(12.5, 10, 28, no_load_rpm=52),
            "dm4340_48v": CanModel(12.5, 10, 28),
            "dm6006": CanModel(12.5, 45, 20),
            "dm8006": CanModel(12.5, 45, 40),
            "dm8009": CanModel(12.5, 45, 54, no_load_rpm=160),
            "dm10010l": CanModel(12.5, 25, 200),
            "dm10010": CanModel(12.5, 20, 200),
            "dmh3510": CanModel(12.5, 280, 1),
            "dmh6215": CanModel(12.5, 45, 10),
            "dmg6220": CanModel(12.5, 45, 10),
        }
    )

    def command(self, motor: CanMotor, drive: Drive, position: float) -> Frame:
        """See `Protocol.command`."""
        if isinstance(drive, PositionVelocity):
            return Frame(0x100 + motor.id, struct.pack("<ff", position, math.radians(drive.velocity)))
        if isinstance(drive, ForcePosition):
            speed = to_field("velocity (0.01 rad/s)", math.radians(drive.velocity) * 100, 0, 0xFFFF, 16)
            ratio = to_field("torque ratio (0.0001)", drive.torque_ratio * 10_000, 0, 0xFFFF, 16)
            return Frame(0x300 + motor.id, struct.pack("<fHH", position, speed, ratio))
        return super().command(motor, drive, position)

    def query(self, motor: CanMotor, last: Frame | None) -> Frame:  # noqa: ARG002 (there is a frame for it)
        """See `Protocol.query`."""
        return _service(motor, QUERY)

    def read(self, motor: CanMotor, register: Register) -> Frame:
        """Ask for the content of a register."""
        return _service(motor, READ, register)

    def write(self, motor: CanMotor, register: Register, value: float) -> Frame:
        """Set a register until the supply is switched off."""
        packed = struct.pack("<I", int(value)) if register.is_integer else struct.pack("<f", value)
        return _service(motor, WRITE, register, packed)

    def store(self, motor: CanMotor) -> Frame:
        """Keep what the registers hold without a supply."""
        return _service(motor, STORE, 1)

    def is_from(self, motor: CanMotor, frame: Frame) -> bool:
        """See `Protocol.is_from`."""
        return frame.id == motor.reply_id

    def state(self, motor: CanMotor, frame: Frame) -> MotorState | None:
        """See `Protocol.state`."""
        data = frame.data
        if len(data) != 8 or data[0] & 0xF != motor.id & 0xF or _is_register(motor, data):
            return None
        code = data[0] >> 4
        if code > 1 and code not in FAULTS:
            return None
        position, velocity, torque = unpack_feedback(self.model(motor), data[1:6])
        return MotorState(position, velocity, torque, code == 1, FAULTS.get(code, ""), data[6], data[7])

    def register(self, motor: CanMotor, frame: Frame) -> tuple[int, float] | None:
        """Number and content of the register in an answer; None if it is another answer."""
        data = frame.data
        if len(data) != 8 or not _is_register(motor, data):
            return None
        try:
            is_integer = Register(data[3]).is_integer
        except ValueError:
            return None
        return data[3], float(struct.unpack("<I" if is_integer else "<f", data[4:])[0])


def _service(motor: CanMotor, order: int, register: int = 0, value: bytes = bytes(4)) -> Frame:
    return Frame(SERVICE_ID, motor.id.to_bytes(2, "little") + bytes([order, register]) + value)


def _is_register(motor: CanMotor, data: bytes) -> bool:
    """Whether an answer repeats a register; feedback would have to stand at the very end of the scale to look so."""
    return data[:2] == motor.id.to_bytes(2, "little") and data[2] in {READ, WRITE, STORE}
