"""What a protocol of CAN motors is: its frames, both ways; no bus and no time."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from lerobot.can.drive import Drive, Impedance
from lerobot.can.frame import Frame, MotorState
from lerobot.can.motor import CanModel, CanMotor
from lerobot.can.packing import pack_command
from lerobot.motors.errors import MotorValueError

ENABLE, DISABLE, SET_ZERO, CLEAR_FAULT = (b"\xff" * 7 + bytes([code]) for code in (0xFC, 0xFD, 0xFE, 0xFB))
"""Data of the frames that both protocols share, on the motor's own id."""


class Protocol(ABC):
    """The frames of one maker's motors."""

    models: ClassVar[Mapping[str, CanModel]]
    """Its models by name."""

    def model(self, motor: CanMotor) -> CanModel:
        """Scales of a motor.

        Raises:
            MotorValueError: there is no such model.
        """
        if motor.model not in self.models:
            raise MotorValueError(f"There is no CAN motor {motor.model!r}.", expected=", ".join(self.models))
        return self.models[motor.model]

    def command(self, motor: CanMotor, drive: Drive, position: float) -> Frame:
        """Send a motor to a position, rad.

        Raises:
            MotorValueError: the position or the drive cannot be said in a frame.
        """
        if not isinstance(drive, Impedance):
            raise MotorValueError(f"{type(self).__name__} motors are not driven by {drive}.", expected="Impedance")
        return Frame(motor.id, pack_command(self.model(motor), position, 0, drive.kp, drive.kd, 0))

    @abstractmethod
    def query(self, motor: CanMotor, last: Frame | None) -> Frame:
        """Ask a motor for its state, without changing what it does.

        Args:
            motor: the motor.
            last: the command it follows now; None if it has no torque.
        """

    @abstractmethod
    def is_from(self, motor: CanMotor, frame: Frame) -> bool:
        """Whether a frame is an answer of a motor."""

    @abstractmethod
    def state(self, motor: CanMotor, frame: Frame) -> MotorState | None:
        """What an answer of a motor says; None if it is no state, or damaged."""
