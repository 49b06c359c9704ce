"""What teleoperators share that need no calibration and feel nothing: keyboards, gamepads, scripts."""

from abc import ABC, abstractmethod
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.types import Action, FeatureSpec


class PlainTeleoperator(DeviceBase, ABC):
    """Optional base of a teleoperator with nothing to calibrate, to configure or to feel.

    A subclass gives `action_features`, `get_action` and, if it holds anything, `_open` and `_close`. For the
    constructor see `DeviceBase`.
    """

    @property
    @abstractmethod
    def action_features(self) -> dict[str, FeatureSpec]:
        """See `Teleoperator.action_features`."""

    @abstractmethod
    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - part of the protocol
        """See `Calibratable.connect`."""
        with self._connecting():
            self._open()
            self.configure()

    def _open(self) -> None:
        """Acquire what `_close` releases."""

    @property
    def is_calibrated(self) -> bool:
        """Always: there is nothing to calibrate."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; nothing is felt."""
        self.require_connected()
