"""A third-party robot behind our protocol, and so behind the safety gate."""

from collections.abc import Mapping
from typing import Any

from lerobot.compat.gated import GatedDriving
from lerobot.compat.plugins.device import AdaptedDevice, build, features, named, told
from lerobot.core.errors import DeviceError
from lerobot.core.types import Action, FeatureSpec, Observation


class AdaptedRobot(AdaptedDevice):
    """A robot that a plugin implements.

    Such a plugin has no safe state beside what its `disconnect` does, which for most switches the motors off. One that
    derives from a robot of ours has that robot's, and passes the gate once: that of the command.
    """

    def __init__(self, config: Any, device: Any) -> None:
        super().__init__(config, device)
        self._ours = isinstance(device, GatedDriving)
        if self._ours:
            device.has_gate_before_it = True

    @property
    def safe_state(self) -> str:
        """See `Robot.safe_state`."""
        return str(self.device.safe_state) if self._ours else "as the plugin's disconnect leaves it"

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """See `Robot.observation_features`."""
        with told(str(self), "asked for its observation"):
            return features(self.device.observation_features, self.config.units, str(self))

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`; the plugin does not say when it measured."""
        with told(str(self), "read"):
            return Observation(self.device.get_observation())

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`.

        Raises:
            DeviceError: the plugin does not say what it sent.
        """
        with told(str(self), "commanded"):
            sent = self.device.send_action(action)
        if not isinstance(sent, Mapping):
            what = f"{self} returned {type(sent).__name__} from send_action"
            raise DeviceError(what, device=str(self), expected="what was sent, by key")
        return dict(sent)

    def enter_safe_state(self) -> None:
        """Disconnect, where the robot is none of ours: it is all that every such plugin can do."""
        if not self._ours:
            self.disconnect()
            return
        with told(str(self), "brought to its safe state"):
            self.device.enter_safe_state()


class AdaptedRobotWithMotorSetup(AdaptedRobot):
    """One whose plugin can give its motors their ids."""

    def setup_motors(self) -> None:
        """See `HasMotorSetup.setup_motors`."""
        with told(str(self), "set up"):
            self.device.setup_motors()


def adapted_robot(config: Any) -> AdaptedRobot:
    """Make the robot of a model of `AdaptedRobotConfig`."""
    device = build(config, named(config))
    return (AdaptedRobotWithMotorSetup if hasattr(device, "setup_motors") else AdaptedRobot)(config, device)
