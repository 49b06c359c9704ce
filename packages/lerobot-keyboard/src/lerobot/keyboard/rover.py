"""Driving a mobile robot with the keyboard."""

import logging

from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.keyboard.config import KeyboardRoverConfig
from lerobot.keyboard.teleoperator import KeyboardDevice

log = logging.getLogger(__name__)


class KeyboardRover(KeyboardDevice):
    """Forward and turning speed of a base.

    Args:
        config: see `KeyboardRoverConfig`.
        prompter: who is told about the keys.

    Attributes:
        linear_speed: present speed of W and S.
        angular_speed: present turning speed of A, D, Q and E.
    """

    name = "keyboard_rover"
    help_text = (
        "Keyboard: W forward, S backward, A and D turn while driving, Q and E turn on the spot, X stops, + faster, "
        "- slower. Ctrl-C ends."
    )
    keys = frozenset("wsadqex+=-")

    def __init__(self, config: KeyboardRoverConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, prompter=prompter)
        self._settings = config
        self.linear_speed = config.linear_speed
        self.angular_speed = config.angular_speed

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`linear_velocity`, forward, and `angular_velocity`, to the left, in the units of the robot that is driven."""
        return dict.fromkeys(("linear_velocity", "angular_velocity"), FeatureSpec())

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; X overrides everything, W wins over S, turning wins over straight."""
        held = self.pressed()
        for key in self._keyboard.typed():
            self._change_speed(key)
        if "x" in held:
            return {"linear_velocity": 0.0, "angular_velocity": 0.0}
        linear = self.linear_speed * (1.0 if "w" in held else -1.0 if "s" in held else 0.0)
        angular = 0.0
        if "a" in held or "d" in held:
            angular = self.angular_speed if "d" not in held else -self.angular_speed
            linear = linear or self.linear_speed * self._settings.turn_assist_ratio
        elif "q" in held or "e" in held:
            angular = self.angular_speed if "q" in held else -self.angular_speed
            linear = 0.0
        return {"linear_velocity": linear, "angular_velocity": angular}

    def _change_speed(self, key: str) -> None:
        """Change the speeds if the key does; each press counts once, however long it is held."""
        sign = {"+": 1, "=": 1, "-": -1}.get(key)
        if sign is None:
            return
        config = self._settings
        step = sign * config.speed_increment
        self.linear_speed = max(config.min_linear_speed, self.linear_speed + step)
        self.angular_speed = max(config.min_angular_speed, self.angular_speed + step * config.angular_speed_ratio)
        log.info("speed %.2f, turning %.2f", self.linear_speed, self.angular_speed)
