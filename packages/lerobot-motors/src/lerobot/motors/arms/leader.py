"""The SO-100 and SO-101 leader arm."""

from typing import Any

from lerobot.core.types import Action, FeatureSpec
from lerobot.motors.feetech import OperatingMode
from lerobot.so100.arm import JOINTS, SOArm


class SOLeader(SOArm):
    """An arm that is moved by hand and read; torque is off unless it is asked to show where the follower is."""

    name = "so_leader"
    role = "teleoperators"
    former_names = ("so101_leader", "so100_leader")

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`."""
        return self.joint_features

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """Joint positions the arm moves to while its torque is on."""
        return self.joint_features

    def _start(self) -> None:
        self.configure()

    def configure(self) -> None:
        """See `Calibratable.configure`; torque goes off, because the arm is moved by hand."""
        self.bus.disable_torque()
        self.bus.configure_motors()
        for joint in JOINTS:
            self.bus.write_if_different("Operating_Mode", joint, OperatingMode.POSITION.value)

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; a joint pushed past its calibrated travel reads as the end of it."""
        features = self.joint_features
        action: Action = {}
        for key, value in self.measure().items():
            low, high = features[key].range or (value, value)
            action[key] = min(max(value, low), high)
        return action

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`; keys that do not end in `.pos` are left out."""
        self.require_connected()
        goals = {key.removesuffix(".pos"): float(value) for key, value in feedback.items() if key.endswith(".pos")}
        if goals:
            self.bus.sync_write("Goal_Position", goals)

    def enable_torque(self) -> None:
        """Hold the pose, so that feedback moves the arm."""
        self.require_connected()
        self.bus.enable_torque()

    def disable_torque(self) -> None:
        """Let the arm be moved by hand."""
        self.require_connected()
        self.bus.disable_torque()

    def _close(self) -> None:
        self._close_bus(disable_torque=True)
