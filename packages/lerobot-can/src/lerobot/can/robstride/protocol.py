"""Frames of RobStride motors that are set to their "MIT" protocol.

Source: RobStride, user manuals, section on the MIT protocol; ranges as huggingface/lerobot 0.6.1 has them, except that
of O6, whose position ends at 112.5 there and at 12.57 (two turns) in the manual of every other model.
"""

from types import MappingProxyType

from lerobot.can.frame import Frame, MotorState
from lerobot.can.motor import CanModel, CanMotor
from lerobot.can.packing import unpack_feedback
from lerobot.can.protocol import DISABLE, Protocol

READ_FAULTS = b"\xff" * 6 + b"\x00\xfb"

TWO_TURNS = 12.57

FAULT_BITS = MappingProxyType(
    {
        0: "its winding is too hot",
        1: "its driver failed",
        2: "under-voltage",
        3: "over-voltage",
        4: "over-current in phase B",
        5: "over-current in phase C",
        7: "its encoder is not calibrated",
        14: "it is blocked",
        16: "over-current in phase A",
    }
)
"""Bits of the fault word."""


class Robstride(Protocol):
    """Frames of RobStride motors. Their feedback tells neither whether they have torque nor a fault."""

    models = MappingProxyType(
        {
            "o0": CanModel(TWO_TURNS, 33, 14),
            "o1": CanModel(TWO_TURNS, 44, 17),
            "o2": CanModel(TWO_TURNS, 33, 20),
            "o3": CanModel(TWO_TURNS, 33, 60),
            "o4": CanModel(TWO_TURNS, 33, 120),
            "o5": CanModel(TWO_TURNS, 50, 5.5),
            "elo5": CanModel(TWO_TURNS, 50, 6),
            "o6": CanModel(TWO_TURNS, 50, 36),
        }
    )

    def query(self, motor: CanMotor, last: Frame | None) -> Frame:
        """See `Protocol.query`: it has no frame for it, so it is told again what it does."""
        return last or Frame(motor.id, DISABLE)

    def read_faults(self, motor: CanMotor) -> Frame:
        """Ask for the fault word."""
        return Frame(motor.id, READ_FAULTS)

    def is_from(self, motor: CanMotor, frame: Frame) -> bool:
        """See `Protocol.is_from`: all motors answer with the id of their host, and begin with their own."""
        return frame.id == motor.reply_id and frame.data[:1] == bytes([motor.id & 0xFF])

    def state(self, motor: CanMotor, frame: Frame) -> MotorState | None:
        """See `Protocol.state`."""
        if len(frame.data) != 8:
            return None
        position, velocity, torque = unpack_feedback(self.model(motor), frame.data[1:6])
        temperature = int.from_bytes(frame.data[6:8], "big") / 10
        return MotorState(position, velocity, torque, None, "", None, temperature)

    def faults(self, frame: Frame) -> str:
        """What the fault word in an answer says; empty if nothing is wrong."""
        word = int.from_bytes(frame.data[1:5], "little")
        return ", ".join(text for bit, text in FAULT_BITS.items() if word >> bit & 1)
