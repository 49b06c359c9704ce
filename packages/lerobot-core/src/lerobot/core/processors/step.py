"""Bases of processor steps: the general one, and one per transition entry for steps that only change that entry."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.arrays import is_array
from lerobot.core.processors.transition import EnvTransition, TransitionKey, copied
from lerobot.core.types import FeatureSpec

PipelineFeatures: TypeAlias = dict[str, dict[str, FeatureSpec]]
"""Features of the two entries that have any, under `"observation"` and `"action"`."""


class ProcessorStep(ABC):
    """Base of every step; the contract is `lerobot.core.protocols.ProcessorStep`.

    A step is constructed with its configuration. What cannot be saved (a device, a kinematic model) is a keyword-only
    parameter of the constructor: whoever builds or loads the pipeline passes it, and is told its name if it is missing.

    Args:
        config: the step's configuration, which is also what is saved.
    """

    state_framework: ClassVar[str] = "numpy"
    """Whose arrays `load_state_dict` wants: `"numpy"` or `"torch"`."""

    def __init__(self, config: ProcessorStepConfig) -> None:
        self.config: Any = config
        self._transition: EnvTransition | None = None

    @property
    def registry_name(self) -> str:
        """Registered name of the step; empty for one that is not registered."""
        return str(self.config.type)

    @property
    def transition(self) -> EnvTransition:
        """The transition being processed; for reading only.

        Raises:
            FeatureMismatchError: the step has not been called yet.
        """
        if self._transition is None:
            raise FeatureMismatchError(f"{type(self).__name__} has no transition before its first call")
        return self._transition

    @abstractmethod
    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Return the transformed transition; the given one stays as it is."""

    def get_config(self) -> dict[str, Any]:
        """Give the configuration as JSON values; fields in `saved_if_set` only where they differ from the default."""
        values: dict[str, Any] = self.config.model_dump(mode="json", exclude={"type"})
        fields = type(self.config).model_fields
        return {
            key: value
            for key, value in values.items()
            if key not in self.config.saved_if_set
            or getattr(self.config, key) != fields[key].get_default(call_default_factory=True)
        }

    def state_dict(self) -> dict[str, Any]:
        """Give the arrays to save; none here."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over saved arrays; a step without state accepts none.

        Raises:
            FeatureMismatchError: there are arrays this step has no use for.
        """
        if state:
            raise FeatureMismatchError(
                f"{type(self).__name__} has no state, but was given {', '.join(sorted(state))}", keys=sorted(state)
            )

    def save_artifacts(self, directory: Path) -> dict[str, str]:  # noqa: ARG002
        """Write what the configuration refers to (a tokenizer, ...) below a folder; nothing here.

        Returns:
            By configuration key, the path written, relative to `directory`.
        """
        return {}

    def reset(self) -> None:
        """Forget everything about the episode so far."""
        self._transition = None

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Say what this step makes of features; they stay the same unless overridden."""
        return features


class _EntryStep(ProcessorStep):
    """A step that changes one entry; the entry must be there."""

    _entry: ClassVar[TransitionKey]

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Replace the entry by what the step makes of a copy of it."""
        value = transition.get(self._entry)
        if value is None:
            raise FeatureMismatchError(
                f"{type(self).__name__} got a transition without {self._entry}", keys=[str(self._entry)]
            )
        self._check(value)
        self._transition = transition
        return {**transition, self._entry: self._apply(copied(value))}

    def _check(self, value: Any) -> None:
        """Refuse a value of the wrong kind."""

    @abstractmethod
    def _apply(self, value: Any) -> Any:
        """Call the method the subclass names after its entry."""


class ObservationProcessorStep(_EntryStep):
    """Changes the observation."""

    _entry = TransitionKey.OBSERVATION

    def _apply(self, value: Any) -> Any:
        return self.observation(value)

    @abstractmethod
    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Return the new observation; `observation` is a copy the step may change."""


class ActionProcessorStep(_EntryStep):
    """Changes the action, whatever its kind."""

    _entry = TransitionKey.ACTION

    def _apply(self, value: Any) -> Any:
        return self.action(value)

    @abstractmethod
    def action(self, action: Any) -> Any:
        """Return the new action; a dict is a copy the step may change, an array is not."""


class RobotActionProcessorStep(ActionProcessorStep):
    """Changes a robot action, a dict."""

    def _check(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise FeatureMismatchError(
                f"{type(self).__name__} got an action of type {type(value).__name__}",
                keys=[str(self._entry)],
                expected="a robot action: a dict",
            )


class PolicyActionProcessorStep(ActionProcessorStep):
    """Changes a policy action, an array."""

    def _check(self, value: Any) -> None:
        if not is_array(value):
            raise FeatureMismatchError(
                f"{type(self).__name__} got an action of type {type(value).__name__}",
                keys=[str(self._entry)],
                expected="a policy action: an array or tensor",
            )


class RewardProcessorStep(_EntryStep):
    """Changes the reward."""

    _entry = TransitionKey.REWARD

    def _apply(self, value: Any) -> Any:
        return self.reward(value)

    @abstractmethod
    def reward(self, reward: Any) -> Any:
        """Return the new reward."""


class DoneProcessorStep(_EntryStep):
    """Changes the end flag."""

    _entry = TransitionKey.DONE

    def _apply(self, value: Any) -> Any:
        return self.done(value)

    @abstractmethod
    def done(self, done: Any) -> Any:
        """Return the new flag."""


class TruncatedProcessorStep(_EntryStep):
    """Changes the cut-off flag."""

    _entry = TransitionKey.TRUNCATED

    def _apply(self, value: Any) -> Any:
        return self.truncated(value)

    @abstractmethod
    def truncated(self, truncated: Any) -> Any:
        """Return the new flag."""


class InfoProcessorStep(_EntryStep):
    """Changes the info."""

    _entry = TransitionKey.INFO

    def _apply(self, value: Any) -> Any:
        return self.info(value)

    @abstractmethod
    def info(self, info: dict[str, Any]) -> dict[str, Any]:
        """Return the new info; `info` is a copy the step may change."""


class ComplementaryDataProcessorStep(_EntryStep):
    """Changes the complementary data."""

    _entry = TransitionKey.COMPLEMENTARY_DATA

    def _apply(self, value: Any) -> Any:
        return self.complementary_data(value)

    @abstractmethod
    def complementary_data(self, complementary_data: dict[str, Any]) -> dict[str, Any]:
        """Return the new complementary data; `complementary_data` is a copy the step may change."""


class IdentityProcessorStep(ProcessorStep):
    """Changes nothing."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Return the transition itself."""
        return transition
