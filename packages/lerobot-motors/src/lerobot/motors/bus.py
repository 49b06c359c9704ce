"""What a device needs of its motors, whatever carries the bytes."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, runtime_checkable

from lerobot.core.deprecation import moved_names
from lerobot.motors.calibration_limits import CalibrationLimits
from lerobot.motors.finding import Finding
from lerobot.motors.motor import Motor, MotorCalibration

NameOrID: TypeAlias = str | int
Motors: TypeAlias = NameOrID | Sequence[NameOrID] | None
Value: TypeAlias = int | float

__getattr__ = moved_names(__name__, {"SerialMotorsBus": "lerobot.motors.serial.bus"})


@runtime_checkable
class MotorsBus(Protocol):
    """Several motors on one line, addressed by name.

    Quantities have names. Every bus has `"Present_Position"`, `"Goal_Position"` and `"Torque_Enable"`; what else it has
    is its own: a bus of servos has the registers of its control tables, a bus of CAN motors has gains and torques.
    `num_retry` asks for more attempts than the bus makes by itself.
    """

    port: str
    """Serial port, CAN interface, or what else leads to the motors."""

    calibration: dict[str, MotorCalibration]
    """The calibration in use, by motor name."""

    @property
    def motors(self) -> Mapping[str, Motor]:
        """The motors by name, in the order of the chain."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether the line is open; False too after it was lost."""
        ...

    def connect(self, handshake: bool = True) -> None:
        """Open the line and, with `handshake`, check that the motors are the expected ones; nothing moves.

        Raises:
            DeviceConnectionError: the line cannot be opened; says why.
            MotorError: motors are missing or are not the expected ones.
        """
        ...

    def disconnect(self, disable_torque: bool = True) -> None:
        """Close the line, also if switching torque off fails."""
        ...

    def read(self, data_name: str, motor: str, *, normalize: bool = True, num_retry: int = 0) -> Value:
        """Read a quantity of one motor; a position is in the motor's `norm_mode` if `normalize`."""
        ...

    def write(self, data_name: str, motor: str, value: Value, *, normalize: bool = True, num_retry: int = 0) -> None:
        """Write a quantity of one motor; returns when the motor has it."""
        ...

    def sync_read(
        self, data_name: str, motors: Motors = None, *, normalize: bool = True, num_retry: int = 0
    ) -> dict[str, Value]:
        """Read a quantity of several motors, measured as close together as the line allows; never an old value."""
        ...

    def sync_write(
        self, data_name: str, values: Value | Mapping[str, Value], *, normalize: bool = True, num_retry: int = 0
    ) -> None:
        """Write a quantity of several motors; not every bus learns whether it arrived."""
        ...

    def configure_motors(self) -> None:
        """Write what makes motors answer and accelerate as fast as they can."""
        ...

    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on, with the motors staying where they are."""
        ...

    def disable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque off, on every motor that can be reached.

        Raises:
            DeviceError: motors could not be reached, which are named; the others are off.
        """
        ...

    def torque_disabled(self, motors: Motors = None) -> AbstractContextManager[None]:
        """Switch torque off for the block and on again after it, also if the block fails."""
        ...

    @property
    def calibration_limits(self) -> Mapping[str, CalibrationLimits]:
        """What the motors can hold of a calibration, by name."""
        ...

    @property
    def is_calibrated(self) -> bool:
        """Whether the motors hold the calibration in use."""
        ...

    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold."""
        ...

    def write_calibration(self, calibration_dict: dict[str, MotorCalibration], cache: bool = True) -> None:
        """Write a calibration to the motors and, if `cache`, use it from now on.

        Raises:
            CalibrationError: the motors cannot hold it, or `cache` and a motor has no entry; nothing was written.
        """
        ...

    def diagnose(self) -> list[Finding]:
        """Examine the line while it is not connected; nothing moves and nothing is written.

        Returns:
            What is wrong, where, and what to do; empty if nothing is.
        """
        ...
