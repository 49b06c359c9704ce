"""From how fast joints are to move to where they are to be."""

import time
from collections.abc import Callable
from typing import Any

from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec
from lerobot.studio.inside.config import JogToJointsConfig

LONGEST_S = 0.1
"""A turn of the loop that came later moves a target no further than this."""
PAUSE_S = 0.5
"""After a longer pause, such as a stop that was released, targets begin where the robot is."""


class JogToJoints(RobotActionProcessorStep):
    """Replaces `jog.<key>` by targets of the robot, in its units.

    A position moves on while its jog is not zero and stays where it is otherwise; it never runs away from a joint that
    is blocked, and ends at its range. A velocity follows its jog, and is zero with it.

    Args:
        config: see `JogToJointsConfig`.
        now: monotonic time in seconds.
    """

    def __init__(self, config: JogToJointsConfig, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(config)
        self._now = now
        self._targets: dict[str, float] = {}
        self._latest_s: float | None = None

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        measured = self.transition.get("observation") or {}
        self._require(action, measured)
        elapsed_s = self._elapsed_s()
        for key, (low, high) in self.config.positions.items():
            position, span = float(measured[key]), high - low
            way = float(action[f"jog.{key}"]) * self.config.speed * span * elapsed_s
            lead = self.config.lead * span
            # A joint that is found outside of its range may come back, and go no further out.
            least, most = max(min(low, position), position - lead), min(max(high, position), position + lead)
            self._targets[key] = min(max(self._targets.get(key, position) + way, least), most)
        speeds = {key: float(action[f"jog.{key}"]) * top for key, top in self.config.velocities.items()}
        return {**self._targets, **speeds}

    def _elapsed_s(self) -> float:
        now = self._now()
        elapsed_s = 0.0 if self._latest_s is None else now - self._latest_s
        self._latest_s = now
        if elapsed_s > PAUSE_S:
            self._targets = {}
        return min(elapsed_s, LONGEST_S)

    def _require(self, action: dict[str, Any], observation: dict[str, Any]) -> None:
        keys = [*self.config.positions, *self.config.velocities]
        require_keys([f"jog.{key}" for key in keys], action, "action")
        require_keys(list(self.config.positions), observation, "observation")

    def reset(self) -> None:
        """Begin from the measured positions again."""
        super().reset()
        self._targets, self._latest_s = {}, None

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Positions as they are observed, and velocities."""
        self._require(features["action"], features["observation"])
        observed = features["observation"]
        positions = {key: observed[key] for key in self.config.positions}
        velocities = {key: observed.get(key, FeatureSpec()) for key in self.config.velocities}
        return {**features, "action": {**positions, **velocities}}
