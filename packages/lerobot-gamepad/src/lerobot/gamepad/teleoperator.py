"""Moving an end effector with a gamepad."""

from lerobot.core.events import TeleopEvents
from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.gamepad.config import GamepadConfig
from lerobot.gamepad.pad import Pad

CLOSE, STAY, OPEN = 0.0, 1.0, 2.0
"""Content of `gripper`."""


class GamepadTeleoperator(PlainTeleoperator):
    """Deltas of the sticks, a gripper that closes, stays or opens, and events of an episode.

    Args:
        config: see `GamepadConfig`.
        prompter: who is told about the buttons.
    """

    name = "gamepad"

    def __init__(self, config: GamepadConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._axes = {f"delta_{axis}": (axis, getattr(config.axes, axis)) for axis in ("x", "y", "z")}
        self._pad = Pad(config.index, hidapi=config.hidapi_fallback)

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`delta_x`, `delta_y`, `delta_z` and, if it is used, `gripper`."""
        features = {key: FeatureSpec(range=(-1.0, 1.0)) for key in self._axes}
        return {**features, "gripper": FeatureSpec(range=(CLOSE, OPEN))} if self.config.use_gripper else features

    def _open(self) -> None:
        self._pad.open()
        self._pad.require(dict(self._axes.values()), self.config.buttons.model_dump())

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; both gripper buttons together cancel each other."""
        self.require_connected()
        action: Action = {key: self._delta(axis, number) for key, (axis, number) in self._axes.items()}
        if self.config.use_gripper:
            buttons = self.config.buttons
            opening, closing = self._pad.held(buttons.open_gripper), self._pad.held(buttons.close_gripper)
            action["gripper"] = STAY + float(opening) - float(closing)
        return action

    def _delta(self, axis: str, number: int) -> float:
        deflection = self._pad.axis(number)
        if abs(deflection) < self.config.deadzone:
            return 0.0
        return -deflection if axis in self.config.axes.inverted else deflection

    def get_teleop_events(self) -> dict[str, bool]:
        """See `HasTeleopEvents.get_teleop_events`; a button that was pressed since the last call counts once."""
        self.require_connected()
        buttons, pressed = self.config.buttons, self._pad.pressed()
        failure, rerecord = buttons.failure in pressed, buttons.rerecord in pressed
        return {
            TeleopEvents.IS_INTERVENTION.value: self._pad.held(buttons.intervention),
            TeleopEvents.TERMINATE_EPISODE.value: failure or rerecord,
            TeleopEvents.SUCCESS.value: buttons.success in pressed,
            TeleopEvents.FAILURE.value: failure,
            TeleopEvents.RERECORD_EPISODE.value: rerecord,
        }

    def _close(self) -> None:
        self._pad.close()
