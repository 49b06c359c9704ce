"""The Teleoperator protocol."""

from typing import Any, Protocol, runtime_checkable

from lerobot.core.protocols.device import Calibratable
from lerobot.core.types import Action, Features


@runtime_checkable
class Teleoperator(Calibratable, Protocol):
    """Something a person, or a script, commands a robot with."""

    @property
    def action_features(self) -> Features:
        """Keys and units of what `get_action` returns; known before `connect`."""
        ...

    @property
    def feedback_features(self) -> Features:
        """Keys and units of what `send_feedback` takes; empty if there is no feedback."""
        ...

    def get_action(self) -> Action:
        """Read the command of this instant.

        Raises:
            NotConnectedError: not connected.
            DeviceError: the reading failed.
        """
        ...

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Make the operator feel the robot: targets by key of `feedback_features`."""
        ...


@runtime_checkable
class HasTeleopEvents(Protocol):
    """A teleoperator with buttons for episode control (`TeleopEvents`)."""

    def get_teleop_events(self) -> dict[str, bool]:
        """Which events are active now; keys are values of `TeleopEvents`."""
        ...
