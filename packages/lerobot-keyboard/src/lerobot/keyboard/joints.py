"""Moving joints with keys."""

from typing import Any

from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.keyboard.config import KeysToJointsConfig


class KeysToJoints(RobotActionProcessorStep):
    """Replaces truth values of keys by joint targets, in the robot's units.

    A target moves on while its key is held and stays where it is otherwise, so a joint neither sags nor drifts; it
    never runs away from a joint that is blocked.
    """

    def __init__(self, config: KeysToJointsConfig) -> None:
        super().__init__(config)
        self._targets: dict[str, float] = {}

    @property
    def _keys(self) -> dict[str, tuple[str, str]]:
        """Keys toward minus and plus, by joint."""
        return {f"{name}.pos": keys for name, keys in self.config.keys.items()}

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        measured = self.transition.get("observation") or {}
        self._require(action, measured)
        config = self.config
        for joint, (minus, plus) in self._keys.items():
            position = float(measured[joint])
            target = self._targets.get(joint, position) + config.step * (bool(action[plus]) - bool(action[minus]))
            self._targets[joint] = min(max(target, position - config.lead), position + config.lead)
        return dict(self._targets)

    def _require(self, action: dict[str, Any], observation: dict[str, Any]) -> None:
        require_keys([key for pair in self._keys.values() for key in pair], action, "action")
        require_keys(list(self._keys), observation, "observation")

    def reset(self) -> None:
        """Begin from the measured positions again."""
        super().reset()
        self._targets = {}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Joints as they are observed."""
        self._require(features["action"], features["observation"])
        return {**features, "action": {joint: features["observation"][joint] for joint in self._keys}}
