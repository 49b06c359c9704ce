"""The SO-100 and SO-101 follower arm."""

import logging
from collections.abc import Mapping

from lerobot.core.cameras import CameraSet
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation
from lerobot.motors.feetech import OperatingMode
from lerobot.so100.arm import JOINTS, SOArm
from lerobot.so100.config import SO100FollowerConfig, SO101FollowerConfig

log = logging.getLogger(__name__)

GRIPPER_LIMITS = {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25}
"""Half the torque, half the current, and a quarter of the torque once overloaded: a gripper that holds an object is
stalled all the time and would burn out."""

CAMERA_TEST_S = 1.0
"""How long pictures are counted at the start, all cameras together: a shared USB line shows only then."""


class SOFollower(SOArm):
    """An arm that follows commands.

    Torque comes on at `connect`, with the arm staying where it is. Targets are held inside the calibrated travel and,
    if configured, within `max_relative_target` of the present position.

    Args:
        config: see `SO100FollowerConfig`.
        prompter: who answers questions; the terminal if None.

    Attributes:
        cameras: the cameras by name.
    """

    name = "so_follower"
    role = "robots"
    former_names = ("so101_follower", "so100_follower")

    def __init__(self, config: SO100FollowerConfig | SO101FollowerConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, prompter=prompter)
        self.config = config
        self.cameras = CameraSet(config.cameras)
        self._clipped: frozenset[str] = frozenset()

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`."""
        return self.joint_features

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`, and one picture per camera."""
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
        self.bus.configure_motors()
        gains = {
            "P_Coefficient": self.config.position_p_coefficient,
            "I_Coefficient": self.config.position_i_coefficient,
            "D_Coefficient": self.config.position_d_coefficient,
        }
        for joint in JOINTS:
            settings = {"Operating_Mode": OperatingMode.POSITION.value, **gains}
            for register, value in (settings | GRIPPER_LIMITS if joint == "gripper" else settings).items():
                self.bus.write_if_different(register, joint, value)
        if powered:
            self.bus.enable_torque(powered)

    def enter_safe_state(self) -> None:
        """Switch torque off, or stop where the arm is if torque shall stay on."""
        if self.config.disable_torque_on_disconnect:
            self.bus.disable_torque(num_retry=5)
        else:
            present = self.bus.sync_read("Present_Position", normalize=False, num_retry=5)
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
        goals = {key.removesuffix(".pos"): float(value) for key, value in action.items() if key.endswith(".pos")}
        if strangers := goals.keys() - set(JOINTS):
            raise FeatureMismatchError(
                f"{self} has no joint {', '.join(sorted(strangers))}.",
                keys=sorted(strangers),
                expected=", ".join(JOINTS),
            )
        limits = self.joint_features
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
        caps = cap if isinstance(cap, Mapping) else dict.fromkeys(goals, cap)
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
