"""An arm that is moved by hand and read."""

from abc import abstractmethod
from typing import Any

from lerobot.core.types import Action, FeatureSpec
from lerobot.motors.arms.arm import Arm


class LeaderArm(Arm):
    """An arm that is moved by hand and read; torque is off unless it is asked to show where the follower is."""

    role = "teleoperators"

    @abstractmethod
    def _write_settings(self) -> None:
        """Write the settings of the motors, whose torque is off."""

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
        self._write_settings()

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
        goals = self._goals(feedback)
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
