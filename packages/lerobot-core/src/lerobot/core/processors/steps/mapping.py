"""Names and order of keys."""

from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.step import (
    ObservationProcessorStep,
    PipelineFeatures,
    ProcessorStep,
    RobotActionProcessorStep,
)
from lerobot.core.processors.transition import EnvTransition, with_keys


def _renamed(keys: list[str], rename_map: dict[str, str]) -> dict[str, str]:
    """Old key by new key."""
    sources: dict[str, str] = {}
    for old in keys:
        new = rename_map.get(old, old)
        if new in sources:
            raise FeatureMismatchError(f"both {sources[new]!r} and {old!r} would be named {new!r}", keys=[new])
        sources[new] = old
    return sources


def require_keys(keys: list[str], available: dict[str, Any], entry: str) -> None:
    """Check that an observation or action holds some keys.

    Raises:
        FeatureMismatchError: it does not; names the missing ones.
    """
    if missing := [key for key in keys if key not in available]:
        raise FeatureMismatchError(
            f"the {entry} has no {', '.join(map(repr, missing))}",
            keys=missing,
            expected=f"keys among {', '.join(available) or '(none)'}",
        )


class RenameObservationsProcessorStep(ObservationProcessorStep):
    """Renames observation keys, their time stamps too; keys not in the map stay, and so does the order."""

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Rename."""
        return with_keys(observation, _renamed(list(observation), self.config.rename_map))

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Rename."""
        observation = features["observation"]
        renamed = _renamed(list(observation), self.config.rename_map)
        return {**features, "observation": {new: observation[old] for new, old in renamed.items()}}


class RenameActionsProcessorStep(RobotActionProcessorStep):
    """Renames keys of a robot action; keys not in the map stay, and so does the order."""

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Rename."""
        return with_keys(action, _renamed(list(action), self.config.rename_map))

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Rename."""
        action = features["action"]
        renamed = _renamed(list(action), self.config.rename_map)
        return {**features, "action": {new: action[old] for new, old in renamed.items()}}


class SelectKeysProcessorStep(ProcessorStep):
    """Keeps the configured keys of an observation or robot action, in the configured order."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Select."""
        entry, keys = self.config.entry, self.config.keys
        value = transition.get(entry)
        if not isinstance(value, dict):
            raise FeatureMismatchError(f"the {entry} is a {type(value).__name__}", keys=[entry], expected="a dict")
        require_keys(keys, value, entry)
        return {**transition, entry: with_keys(value, {key: key for key in keys})}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Select."""
        entry, keys = self.config.entry, self.config.keys
        require_keys(keys, features[entry], entry)
        return {**features, entry: {key: features[entry][key] for key in keys}}
