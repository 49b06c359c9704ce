"""An arm of CAN motors that follows commands."""

from collections.abc import Mapping

from lerobot.can.arms.arm import CanArm
from lerobot.can.bus import CanMotorsBus
from lerobot.core.errors import CalibrationError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action
from lerobot.motors.arms.config import FollowerConfig
from lerobot.motors.arms.follower import FollowerArm

FAR_DEG = 30.0
"""A joint that stands farther outside its limits has another zero than its file was made for."""


class CanFollower(CanArm, FollowerArm):
    """An arm of CAN motors that follows commands; see `FollowerArm`.

    Args:
        config: see `FollowerConfig`.
        bus: the motors, not connected.
        limits: ends of each joint's range, degrees, by joint name; a target beyond them is sent as the end.
        tells_velocity_and_torque: see `CanArm`.
        prompter: who answers questions; the terminal if None.
    """

    def __init__(
        self,
        config: FollowerConfig,
        bus: CanMotorsBus,
        limits: Mapping[str, tuple[float, float]],
        *,
        tells_velocity_and_torque: bool = False,
        prompter: Prompter | None = None,
    ) -> None:
        self.limits = limits
        self.tells_velocity_and_torque = tells_velocity_and_torque
        super().__init__(config, bus, prompter=prompter)

    def configure(self) -> None:
        """See `Calibratable.configure`; motors keep their torque, unless their control mode has to change."""
        self._write_settings()

    def _write_settings(self) -> None:
        self.bus.configure_motors()

    def _require_calibration(self) -> None:
        super()._require_calibration()
        for name, position in self.bus.sync_read("Present_Position").items():
            low, high = self.limits[name]
            if not low - FAR_DEG <= position <= high + FAR_DEG:
                raise CalibrationError(
                    f"'{name}' reports {position:.0f} degrees, far outside its limits.",
                    device=str(self),
                    expected=f"{low:g} to {high:g}",
                    hint="Correct its limits, or move the arm to its zero pose and run `lerobot calibrate`.",
                )

    def send_action(self, action: Action) -> Action:
        """See `FollowerArm.send_action`; velocities and torques in an action command nothing and come back as given."""
        told = {key: value for key, value in action.items() if not key.endswith(".pos") and key in self.action_features}
        return {**super().send_action(action), **told}
