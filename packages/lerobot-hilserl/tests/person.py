"""A scripted person at the virtual arm: shows the task, then corrects the policy where it gets nowhere."""

from collections import deque
from typing import Any, ClassVar

import numpy as np

from lerobot.core.config.base import TeleoperatorConfig
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.sim.config import ScriptedConfig
from lerobot.sim.joints import features
from lerobot.sim.running import running
from lerobot.sim.scripted import ScriptedTeleoperator


class PersonConfig(TeleoperatorConfig):
    """Shows so many episodes; later acts for `turn` steps whenever the hand came no nearer in `patience` steps."""

    target: ClassVar[str] = "person:Person"

    type: str = "scripted_person"
    shows: int = 10
    patience: int = 8
    turn: int = 5
    nearer_m: float = 0.01


class Person(PlainTeleoperator):
    """See its configuration."""

    name = "scripted_person"

    def __init__(self, config: PersonConfig, **_: Any) -> None:
        super().__init__(config.id)
        self.config = config
        self._expert = ScriptedTeleoperator(ScriptedConfig())
        self._first: int | None = None
        self._episode = -1
        self._distances: deque[float] = deque(maxlen=config.patience)
        self._left = 0

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        return features(degrees=True)

    def _open(self) -> None:
        self._expert.connect()

    def _close(self) -> None:
        self._expert.disconnect()

    def get_action(self) -> Action:
        self.require_connected()
        world = running.find(None, wanted_by=str(self))
        if world.episodes_started != self._episode:
            self._first = world.episodes_started if self._first is None else self._first
            self._episode, self._left = world.episodes_started, 0
            self._distances.clear()
        self._left = max(0, self._left - 1)
        distance = float(np.linalg.norm(world.position("grasp") - world.position("ball")))
        stuck = len(self._distances) == self.config.patience and distance > self._distances[0] - self.config.nearer_m
        if not self._left and stuck:
            self._left = self.config.turn
            self._distances.clear()
        self._distances.append(distance)
        return self._expert.get_action()

    def get_teleop_events(self) -> dict[str, bool]:
        shows = self._first is not None and self._episode - self._first < self.config.shows
        return {"is_intervention": shows or self._left > 0}
