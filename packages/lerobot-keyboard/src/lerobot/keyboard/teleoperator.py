"""What the keyboard teleoperators share, and the plainest of them: the keys themselves."""

from typing import ClassVar

from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.terminal import KEYS
from lerobot.core.types import Action, FeatureSpec
from lerobot.keyboard.config import KeyboardConfig
from lerobot.keyboard.desktop import DesktopKeyboard, can_listen
from lerobot.keyboard.source import Keyboard, TerminalKeyboard


class KeyboardDevice(PlainTeleoperator):
    """A teleoperator that is a keyboard.

    Args:
        config: see `KeyboardConfig`.
        prompter: who is told about the keys.
    """

    help_text: ClassVar[str]
    """What the keys do."""

    keys: ClassVar[frozenset[str]] = frozenset()
    """Keys it needs for itself."""

    spare: ClassVar[frozenset[str]] = frozenset()
    """Keys it uses unless somebody else does, such as the command that records."""

    def __init__(self, config: KeyboardConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        on_desktop = config.backend == "pynput" or (config.backend == "auto" and can_listen())
        self._keyboard: Keyboard = (
            DesktopKeyboard(str(self), self.keys, self.spare)
            if on_desktop
            else TerminalKeyboard(str(self), self.keys, self.spare, hold_s=config.hold_s, repeat_s=config.repeat_s)
        )

    def _open(self) -> None:
        self._keyboard.open()
        self.prompter.say(self.help_text)

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
    """Every key that has a name and that nobody else uses: true while it is held."""

    name = "keyboard"
    help_text = "Keyboard: every key is passed on. Ctrl-C ends."
    spare = frozenset(KEYS)

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """One truth value per key."""
        return dict.fromkeys(KEYS, FeatureSpec(dtype="bool"))

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        held = self.pressed()
        return {key: key in held for key in KEYS}
