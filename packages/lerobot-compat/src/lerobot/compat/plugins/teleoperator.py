"""A third-party teleoperator behind our protocol."""

from typing import Any

from lerobot.compat.plugins.device import AdaptedDevice, build, named, told
from lerobot.core.types import Action, FeatureSpec, as_features


class AdaptedTeleoperator(AdaptedDevice):
    """A teleoperator that a plugin implements."""

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """See `Teleoperator.feedback_features`."""
        with told(str(self), "asked for its feedback"):
            return as_features(self.device.feedback_features)

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        with told(str(self), "read"):
            return dict(self.device.get_action())

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`."""
        with told(str(self), "given feedback"):
            self.device.send_feedback(feedback)


class AdaptedTeleoperatorWithEvents(AdaptedTeleoperator):
    """One with buttons for episodes."""

    def get_teleop_events(self) -> dict[str, bool]:
        """See `HasTeleopEvents.get_teleop_events`."""
        with told(str(self), "asked for its buttons"):
            return dict(self.device.get_teleop_events())


def adapted_teleoperator(config: Any) -> AdaptedTeleoperator:
    """Make the teleoperator of a model of `AdaptedTeleoperatorConfig`."""
    device = build(config, named(config))
    has_buttons = hasattr(device, "get_teleop_events")
    return (AdaptedTeleoperatorWithEvents if has_buttons else AdaptedTeleoperator)(config, device)
