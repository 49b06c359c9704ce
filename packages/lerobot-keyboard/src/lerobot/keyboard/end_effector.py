"""Moving an end effector with the keyboard."""

from lerobot.core.events import TeleopEvents
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.keyboard.config import KeyboardEEConfig
from lerobot.keyboard.teleoperator import KeyboardDevice

CLOSE, STAY, OPEN = 0.0, 1.0, 2.0
"""Content of `gripper`."""

AXES = {
    "delta_x": (("left",), ("right",)),
    "delta_y": (("down",), ("up",)),
    "delta_z": (("shift_r", "page_up"), ("shift", "page_down")),
}
"""Keys toward plus and minus of each axis; a terminal has no Shift, hence the second ones."""

OPENING, CLOSING = ("ctrl_r", "o"), ("ctrl_l", "c")
MOVING = frozenset(key for sides in AXES.values() for keys in sides for key in keys) | {*OPENING, *CLOSING}


class KeyboardEndEffector(KeyboardDevice):
    """Deltas of -1, 0 or 1 per axis, a gripper that closes, stays or opens, and events of an episode.

    Args:
        config: see `KeyboardEEConfig`.
        prompter: who is told about the keys.
    """

    name = "keyboard_ee"
    help_text = (
        "Keyboard: arrows x and y, Page Up/Down (or Shift right/left) z, O (or Ctrl right) opens, C (or Ctrl left) "
        "closes. Ctrl-C ends."
    )
    keys = MOVING
    spare = frozenset({"s", "r", "q"})

    def __init__(self, config: KeyboardEEConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, prompter=prompter)
        self._gripper = config.use_gripper

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`delta_x`, `delta_y`, `delta_z` and, if it is used, `gripper`."""
        features = {axis: FeatureSpec(range=(-1.0, 1.0)) for axis in AXES}
        return {**features, "gripper": FeatureSpec(range=(CLOSE, OPEN))} if self._gripper else features

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; keys of opposite directions cancel each other."""
        held = self.pressed()
        action: Action = {axis: _balance(held, plus, minus) for axis, (plus, minus) in AXES.items()}
        if self._gripper:
            action["gripper"] = STAY + _balance(held, OPENING, CLOSING)
        return action

    def get_teleop_events(self) -> dict[str, bool]:
        """See `HasTeleopEvents.get_teleop_events`; a key that was pressed since the last call counts once."""
        self.require_connected()
        typed = self._keyboard.typed()
        return {
            TeleopEvents.IS_INTERVENTION.value: bool(MOVING & self.pressed()),
            TeleopEvents.TERMINATE_EPISODE.value: "r" in typed or "q" in typed,
            TeleopEvents.SUCCESS.value: "s" in typed,
            TeleopEvents.RERECORD_EPISODE.value: "r" in typed,
        }


def _balance(held: frozenset[str], plus: tuple[str, ...], minus: tuple[str, ...]) -> float:
    return float(any(key in held for key in plus)) - float(any(key in held for key in minus))
