"""A bus of RobStride motors."""

import time
from collections.abc import Mapping

from lerobot.can.bus import CanMotorsBus
from lerobot.can.channel import Channel
from lerobot.can.drive import Drive
from lerobot.can.frame import Frame
from lerobot.can.motor import CanMotor
from lerobot.can.robstride.protocol import Robstride
from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.bus import Motors
from lerobot.motors.errors import MotorError
from lerobot.motors.motor import MotorCalibration

QUIET_S = 0.05
"""Silence after which no answer is on its way any more: nothing in an answer says to which question it belongs."""


class RobstrideMotorsBus(CanMotorsBus):
    """RobStride motors; see `CanMotorsBus`.

    Their feedback tells neither torque nor faults: `Torque_Enable` is what they were told, and faults are found by the
    handshake and by `read_faults`. A motor that keeps torque from an earlier program loses it at the first reading.

    Args:
        port: see `CanMotorsBus`.
        motors: see `CanMotorsBus`; `reply_id` is the id of the host that the motors answer to.
        drives: see `CanMotorsBus`; `Impedance` only.
        calibration: see `CanMotorsBus`.
        channel: see `CanMotorsBus`.
    """

    _protocol: Robstride

    def __init__(
        self,
        port: str,
        motors: Mapping[str, CanMotor],
        drives: Mapping[str, Drive] | None = None,
        calibration: dict[str, MotorCalibration] | None = None,
        channel: Channel | None = None,
    ) -> None:
        super().__init__(port, motors, Robstride(), drives, calibration, channel)

    def read_faults(self, motors: Motors = None) -> dict[str, str]:
        """What is wrong with motors, empty where nothing is; it is kept in `faults` too.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
        """
        names = self._names(motors)
        questions = {name: self._protocol.read_faults(self._motors[name]) for name in names}
        told = self._ask(questions, self._fault_word, f"Failed to read faults of {', '.join(names)}")
        self.faults |= {name: fault for name, fault in told.items() if fault}
        return told

    def configure_motors(self) -> None:
        """Motors need nothing written."""

    def _fault_word(self, _name: str, frame: Frame) -> str:
        return self._protocol.faults(frame)

    def _check_motors(self) -> None:
        try:
            self.read_faults()
        except DeviceConnectionError as error:
            ids = ", ".join(f"{name} {motor.id}" for name, motor in self._motors.items())
            raise MotorError(
                error.what,
                device=self.port,
                expected=f"these motors (name, id): {ids}",
                hint="Check the supply, the cables, the ids, and that the motors are set to the MIT protocol.",
            ) from error

    def _settle(self, names: list[str]) -> None:
        quiet_since = time.monotonic()
        begin = quiet_since
        while time.monotonic() - quiet_since < QUIET_S:
            if self._take_one(QUIET_S / 4, self._note):
                quiet_since = time.monotonic()
            if quiet_since - begin > 4 * QUIET_S:
                return
        self._unsettled -= set(names)
