"""A line of Dynamixel servos on which some joints are turned by two servos at once."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from lerobot.core.errors import CalibrationError
from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.motors.bus import Motors, Value
from lerobot.motors.errors import MotorError, MotorValueError

TOLERANCE_DEG = 3.0
"""How far apart two servos of a joint may report it: calibration leaves them within play, a slipped horn does not."""

REVERSED, SLAVE = 1, 2
"""Bits of Drive_Mode: direction of rotation, and a servo that a cable from another one drives."""


class ShadowedBus(DynamixelMotorsBus):
    """Servos of which some are shadows: they face another servo on the same joint and obey what is sent to that one.

    A shadow's Secondary_ID is the id of its first servo, so that one packet gives both the same goal. Two servos that
    are sent to different places fight until one breaks. So no goal goes to a shadow by itself, and torque comes on for
    both or for none, and only while they mirror each other and agree where their joint is.

    Args:
        port: serial port.
        motors: motors by name, in the order of the chain, the shadows among them.
        calibration: calibration by motor name.
    """

    shadows: ClassVar[Mapping[str, str]] = {"shoulder_shadow": "shoulder", "elbow_shadow": "elbow"}
    """First servo of the joint, by shadow."""

    # --- goals -------------------------------------------------------------------------------------------------------

    def write(self, data_name: str, motor: str, value: Value, *, normalize: bool = True, num_retry: int = 0) -> None:
        """See `MotorRegisters.write`.

        Raises:
            MotorValueError: it is a goal for a shadow; nothing was sent.
        """
        if data_name.startswith("Goal_"):
            self._require_firsts([motor])
        super().write(data_name, motor, value, normalize=normalize, num_retry=num_retry)

    def sync_write(
        self,
        data_name: str,
        values: Value | Mapping[str, Value],
        *,
        normalize: bool = True,
        num_retry: int = 0,
    ) -> None:
        """See `MotorRegisters.sync_write`; a goal of a joint's first servo is that of its shadow too.

        Raises:
            MotorValueError: it is a goal for a shadow without its first servo; nothing was sent.
        """
        if data_name.startswith("Goal_"):
            goals = values if isinstance(values, Mapping) else dict.fromkeys(self.motors, values)
            self._require_firsts(name for name in goals if self.shadows.get(name) not in goals)
            values = {name: goal for name, goal in goals.items() if name not in self.shadows}
        super().sync_write(data_name, values, normalize=normalize, num_retry=num_retry)

    def _require_firsts(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.shadows:
                raise MotorValueError(
                    f"'{name}' mirrors '{self.shadows[name]}' and has no goals of its own.",
                    device=self.port,
                    expected=f"a goal for '{self.shadows[name]}'",
                )

    # --- torque ------------------------------------------------------------------------------------------------------

    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on, with the motors staying where they are; of two servos of a joint, on both.

        Raises:
            MotorError: a shadow does not obey its first servo, or turns the other way; no torque came on.
            CalibrationError: the two servos of a joint do not agree where it is; no torque came on.
        """
        chosen = self._select(motors)
        joints = {self.shadows.get(name, name) for name in chosen}
        names = [name for name in self.motors if self.shadows.get(name, name) in joints]
        pairs = self._pairs(names)
        self._require_mirrored(pairs)
        self.require_agreement(names)
        super().enable_torque(names, num_retry)
        # Each servo took its own reading as its goal; the next packet gives both the same one.
        for first in pairs.values():
            present = self.read("Present_Position", first, normalize=False)
            self.write("Goal_Position", first, present, normalize=False, num_retry=num_retry)

    def require_agreement(self, motors: Motors = None) -> None:
        """Check that the two servos of each joint report the same position.

        Raises:
            CalibrationError: they do not; names both and how far they are apart.
        """
        pairs = self._pairs(self._select(motors))
        if not pairs:
            return
        present = self.sync_read("Present_Position", [*pairs, *pairs.values()], normalize=False)
        for shadow, first in pairs.items():
            turn = self.model_resolution_table[self.motors[shadow].model]
            apart = abs(present[shadow] - present[first]) * 360 / turn
            if apart > TOLERANCE_DEG:
                raise CalibrationError(
                    f"'{first}' reports {present[first]} and '{shadow}' {present[shadow]}: {apart:.1f} degrees apart.",
                    device=self.port,
                    expected=f"the same position of their joint, within {TOLERANCE_DEG:g} degrees",
                    hint="Calibrate the arm again; if it comes back, a horn has slipped on its servo.",
                )

    def _require_mirrored(self, pairs: Mapping[str, str]) -> None:
        """Check that shadows obey their first servos and turn against them, as servos that face each other must."""
        for shadow, first in pairs.items():
            second_id, first_id = self.read("Secondary_ID", shadow), self.motors[first].id
            if second_id != first_id:
                raise MotorError(
                    f"'{shadow}' does not obey '{first}': its Secondary_ID is {second_id}.",
                    device=self.port,
                    expected=str(first_id),
                    hint="Connect the arm, which writes it, before torque comes on.",
                )
            modes = {name: int(self.read("Drive_Mode", name)) for name in (first, shadow)}
            if not (modes[first] ^ modes[shadow]) & REVERSED:
                raise MotorError(
                    f"'{shadow}' and '{first}' turn the same way: their Drive_Mode is {modes[shadow]}.",
                    device=self.port,
                    expected="one of the two reversed, because they face each other",
                    hint="Calibrate the arm again.",
                )

    def _check_motors(self) -> None:
        """Refuse shadows that a synchronization cable drives: they obey no Secondary_ID."""
        super()._check_motors()
        for shadow, first in self._pairs(self.motors).items():
            if int(self.read("Drive_Mode", shadow)) & SLAVE:
                raise MotorError(
                    f"'{shadow}' is driven by a cable from '{first}' (Drive_Mode bit 1).",
                    device=self.port,
                    expected="two servos that are joined by the bus only",
                    hint="Arms with a synchronization cable are not supported.",
                )

    def _pairs(self, names: Iterable[str]) -> dict[str, str]:
        """Shadows among motors, with their first servos."""
        return {name: self.shadows[name] for name in names if name in self.shadows}
