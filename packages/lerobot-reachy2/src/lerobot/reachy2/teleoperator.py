"""A Reachy 2 that leads: what another program commands it, or where somebody moves it, is the action."""

from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.reachy2.config import Reachy2TeleoperatorConfig
from lerobot.reachy2.joints import BASE_FEATURES, BASE_RANGES
from lerobot.reachy2.watch import Watch


class Reachy2Teleoperator(DeviceBase):
    """Gives what a robot is commanded, such as by the vendor's teleoperation, or where it is. Nothing is sent to it.

    Args:
        config: see `Reachy2TeleoperatorConfig`.
        prompter: who answers questions; nobody is asked.
    """

    name = "reachy2_specific"

    def __init__(self, config: Reachy2TeleoperatorConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._watch = Watch(str(self), config, with_commanded_base=not config.use_present_position)
        self._ranges = {joint.key: joint.range for joint in config.joints}
        if config.with_mobile_base:
            self._ranges |= BASE_RANGES

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets in degrees, and the velocity of the mobile base."""
        base = BASE_FEATURES if self.config.with_mobile_base else {}
        return {**{joint.key: joint.feature for joint in self.config.joints}, **base}

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - it needs none
        """See `Calibratable.connect`."""
        with self._connecting():
            self._watch.start()
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: it knows its joints."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    def _close(self) -> None:
        self._watch.stop()

    # --- commanding --------------------------------------------------------------------------------------------------

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; inside the declared ranges.

        Raises:
            DeviceTimeoutError: the newest is older than `Reachy2TeleoperatorConfig.max_age_s`.
        """
        self.require_connected()
        reading = self._watch.latest().value
        values = reading.present if self.config.use_present_position else reading.goal
        return {key: min(max(values[key], low), high) for key, (low, high) in self._ranges.items()}

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`; nothing is felt.

        Raises:
            FeatureMismatchError: there is feedback.
        """
        self.require_connected()
        if feedback:
            raise FeatureMismatchError(f"{self} gives nothing to feel", keys=list(feedback), expected="no feedback")
