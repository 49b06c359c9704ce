"""The base that third-party plugins derive a motor bus of their own protocol from."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lerobot.core.errors import CalibrationError
from lerobot.core.prompts import TerminalPrompter
from lerobot.motors.bus import Motors, NameOrID, Value
from lerobot.motors.motor import Motor, MotorCalibration
from lerobot.motors.serial.bus import SerialMotorsBus

PERIOD_S = 0.02


class MotorsBus(ABC):
    """Motors on one line, addressed by name or id; a plugin says how they are spoken to.

    Args:
        port: what leads to the motors.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name.
    """

    def __init__(
        self, port: str, motors: Mapping[str, Motor], calibration: dict[str, MotorCalibration] | None = None
    ) -> None:
        self.port = port
        self.motors = dict(motors)
        self.calibration = calibration or {}

    # --- what a protocol adds ----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether the line is open."""

    @abstractmethod
    def connect(self, handshake: bool = True) -> None:
        """Open the line."""

    @abstractmethod
    def disconnect(self, disable_torque: bool = True) -> None:
        """Close the line."""

    @abstractmethod
    def read(self, data_name: str, motor: str) -> Any:
        """Read a quantity of one motor."""

    @abstractmethod
    def write(self, data_name: str, motor: str, value: Value) -> None:
        """Write a quantity of one motor."""

    @abstractmethod
    def sync_read(self, data_name: str, motors: Any = None, *, normalize: bool = True) -> dict[str, Any]:
        """Read a quantity of several motors, positions in the unit of each if `normalize`."""

    @abstractmethod
    def sync_write(self, data_name: str, values: Any) -> None:
        """Write a quantity of several motors."""

    @abstractmethod
    def enable_torque(self, motors: Any = None, num_retry: int = 0) -> None:
        """Switch torque on."""

    @abstractmethod
    def disable_torque(self, motors: Any = None, num_retry: int = 0) -> None:
        """Switch torque off."""

    @abstractmethod
    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold."""

    @abstractmethod
    def write_calibration(self, calibration_dict: dict[str, MotorCalibration], cache: bool = True) -> None:
        """Write a calibration to the motors."""

    # --- what every bus has ------------------------------------------------------------------------------------------

    @property
    def models(self) -> list[str]:
        """Models in the order of the chain."""
        return [motor.model for motor in self.motors.values()]

    @property
    def ids(self) -> list[int]:
        """Ids in the order of the chain."""
        return [motor.id for motor in self.motors.values()]

    @contextmanager
    def torque_disabled(self, motors: Motors = None) -> Iterator[None]:
        """Switch torque off for the block and on again after it, also if the block fails."""
        self.disable_torque(motors)
        try:
            yield
        finally:
            self.enable_torque(motors)

    def record_ranges_of_motion(
        self, motors: Motors = None, display_values: bool = True
    ) -> tuple[dict[str, Value], dict[str, Value]]:
        """Record the smallest and largest position of motors until Enter is pressed.

        Args:
            motors: those to follow; all if None.
            display_values: say at the end where each has been.

        Raises:
            CalibrationError: a motor did not move.
        """
        prompter = TerminalPrompter()
        names = self._get_motors_list(motors)
        lows: dict[str, Value] = dict(self._positions(names))
        highs = dict(lows)
        while not prompter.pressed_enter():
            for name, position in self._positions(names).items():
                lows[name], highs[name] = min(lows[name], position), max(highs[name], position)
            time.sleep(PERIOD_S)
        for name in names if display_values else ():
            prompter.say(f"{name:<16} {lows[name]:>8} {highs[name]:>8}")
        if still := [name for name in names if lows[name] == highs[name]]:
            raise CalibrationError(
                f"Some motors have the same min and max values: {', '.join(still)}.", device=self.port
            )
        return lows, highs

    def _positions(self, names: Sequence[str]) -> dict[str, Value]:
        return self.sync_read("Present_Position", names, normalize=False)

    def _get_motors_list(self, motors: Motors) -> list[str]:
        if motors is None:
            return list(self.motors)
        asked: Sequence[NameOrID] = [motors] if isinstance(motors, str | int) else motors
        return [motor if isinstance(motor, str) else self._id_to_name(motor) for motor in asked]

    def _get_motor_id(self, motor: NameOrID) -> int:
        return self.motors[motor].id if isinstance(motor, str) else motor

    def _id_to_name(self, motor_id: int) -> str:
        return next(name for name, motor in self.motors.items() if motor.id == motor_id)

    def _id_to_model(self, motor_id: int) -> str:
        return self.motors[self._id_to_name(motor_id)].model


MotorsBus.register(SerialMotorsBus)  # type: ignore[type-abstract] # all of ours count, whatever their protocol
