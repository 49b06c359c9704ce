"""An arm that follows commands."""

import logging
from abc import abstractmethod
from collections.abc import Mapping

from lerobot.core.cameras import CameraSet
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation
from lerobot.motors.arms.arm import Arm
from lerobot.motors.arms.config import FollowerConfig
from lerobot.motors.bus import MotorsBus

log = logging.getLogger(__name__)

CAMERA_TEST_S = 1.0
"""How long pictures are counted at the start, all cameras together: a shared USB line shows only then."""


class FollowerArm(Arm):
    """An arm that follows commands.

    Torque comes on at `connect`, with the arm staying where it is. Targets are held inside the range of each joint's
    feature and, if configured, within `max_relative_target` of the present position.

    Args:
        config: see `FollowerConfig`.
        bus: the motors, not connected.
        reads: how often a lost reading is asked for again, if more than the bus does anyway.
        prompter: who answers questions; the terminal if None.

    Attributes:
        cameras: the cameras by name.
    """

    role = "robots"

    def __init__(
        self, config: FollowerConfig, bus: MotorsBus, *, reads: int = 0, prompter: Prompter | None = None
    ) -> None:
        super().__init__(config, bus, reads=reads, prompter=prompter)
        self.config = config
        self.cameras = CameraSet(config.cameras)
        self._clipped: frozenset[str] = frozenset()

    @abstractmethod
    def _write_settings(self) -> None:
        """Write the settings of the motors, whose torque is off."""

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`."""
        return self.joint_features

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`, and one image per camera."""
        return {**self.joint_features, **self.cameras.features}

    @property
    def safe_state(self) -> str:
        """Torque off, or holding the pose where torque shall stay on."""
        return "torque off" if self.config.disable_torque_on_disconnect else "hold position"

    # --- life cycle --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.cameras.connect(measure_s=CAMERA_TEST_S)
        self.configure()
        if self.bus.calibration:
            self.bus.enable_torque()

    def configure(self) -> None:
        """See `Calibratable.configure`; motors that had torque get it back where they are."""
        powered = [joint for joint, on in self.bus.sync_read("Torque_Enable").items() if on]
        self.bus.disable_torque()
        self._write_settings()
        if powered:
            self.bus.enable_torque(powered)

    def enter_safe_state(self) -> None:
        """Switch torque off, or stop where the arm is if torque shall stay on."""
        if self.config.disable_torque_on_disconnect:
            self.bus.disable_torque()
        else:
            present = self.bus.sync_read("Present_Position", self.positioned, normalize=False)
            self.bus.sync_write("Goal_Position", present, normalize=False)

    def _close(self) -> None:
        try:
            self._close_bus(disable_torque=self.config.disable_torque_on_disconnect)
        finally:
            self.cameras.disconnect()

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        observation = self.measure()
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; keys that do not end in `.pos` are left out.

        Raises:
            FeatureMismatchError: a target is for a joint the arm does not have, or `max_relative_target` is given per
                joint for other joints.
            MotorValueError: a target is no finite number; nothing was sent.
        """
        self.require_connected()
        goals = self._goals(action)
        limits = self.joint_features
        if strangers := [joint for joint in goals if f"{joint}.pos" not in limits]:
            raise FeatureMismatchError(
                f"{self} has no joint {', '.join(sorted(strangers))}.",
                keys=sorted(strangers),
                expected=", ".join(self.bus.motors),
            )
        if self.config.max_relative_target is not None:
            goals = self._near_present(goals, self.config.max_relative_target)
        for joint, goal in goals.items():
            low, high = limits[f"{joint}.pos"].range or (goal, goal)
            goals[joint] = min(max(goal, low), high)
        if goals:
            self.bus.sync_write("Goal_Position", goals)
        return {f"{joint}.pos": goal for joint, goal in goals.items()}

    def _near_present(self, goals: Mapping[str, float], cap: float | Mapping[str, float]) -> dict[str, float]:
        """Hold goals within `cap` of the present position; log which joints it holds when that changes."""
        caps = (
            {name.removesuffix(".pos"): most for name, most in cap.items()}
            if isinstance(cap, Mapping)
            else dict.fromkeys(goals, cap)
        )
        if set(caps) != set(goals):
            raise FeatureMismatchError(
                f"max_relative_target names {', '.join(caps)}, the action {', '.join(goals)}.",
                keys=sorted(set(caps) ^ set(goals)),
                expected="the same joints, or one number for all",
            )
        present = self.bus.sync_read("Present_Position", list(goals), num_retry=self._reads)
        held = {
            joint: min(max(goal, present[joint] - caps[joint]), present[joint] + caps[joint])
            for joint, goal in goals.items()
        }
        clipped = frozenset(joint for joint in goals if held[joint] != goals[joint])
        if clipped - self._clipped:
            log.warning("%s: max_relative_target holds %s back", self, ", ".join(sorted(clipped)))
        self._clipped = clipped
        return held
