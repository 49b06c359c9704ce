"""What the keyboard teleoperators share, and the plainest of them: the keys themselves."""

from abc import ABC, abstractmethod
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.keyboard.config import KeyboardConfig
from lerobot.keyboard.desktop import DesktopKeyboard, can_listen
from lerobot.keyboard.keys import KEYS, Keyboard
from lerobot.keyboard.terminal import TerminalKeyboard


class KeyboardDevice(DeviceBase, ABC):
    """A teleoperator that is a keyboard: nothing to calibrate, nothing to feel.

    Args:
        config: see `KeyboardConfig`.
        prompter: who is told about the keys.
    """

    help_text: str
    """What the keys do."""

    def __init__(self, config: KeyboardConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        on_desktop = config.backend == "pynput" or (config.backend == "auto" and can_listen())
        self._keyboard: Keyboard = DesktopKeyboard() if on_desktop else TerminalKeyboard(config.hold_s, config.repeat_s)

    @property
    @abstractmethod
    def action_features(self) -> dict[str, FeatureSpec]:
        """See `Teleoperator.action_features`."""

    @abstractmethod
    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """A keyboard takes no feedback."""
        return {}

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; there is none."""
        self.require_connected()

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - part of the protocol
        """See `Calibratable.connect`."""
        with self._connecting():
            self._keyboard.open()
            self.configure()
            self.prompter.say(self.help_text)

    @property
    def is_calibrated(self) -> bool:
        """A keyboard needs no calibration."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    def pressed(self) -> frozenset[str]:
        """Names of the keys that are held.

        Raises:
            NotConnectedError: not connected.
            DeviceConnectionError: the keyboard is gone.
        """
        self.require_connected()
        return self._keyboard.held()

    def _close(self) -> None:
        self._keyboard.close()


class KeyboardTeleoperator(KeyboardDevice):
    """Every key that has a name: true while it is held."""

    name = "keyboard"
    help_text = "Keyboard: every key is passed on. Ctrl-C ends."

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """One truth value per key."""
        return dict.fromkeys(KEYS, FeatureSpec(dtype="bool"))

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        held = self.pressed()
        return {key: key in held for key in KEYS}
