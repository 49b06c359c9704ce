"""The ProcessorStep protocol: one named, configurable, possibly stateful step of a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from lerobot.core.types import FeatureSpec


@runtime_checkable
class ProcessorStep(Protocol):
    """Turns one transition into another.

    A transition is a dict with the keys `observation`, `action`, `reward`, `done`, `truncated`, `info` and
    `complementary_data` (`lerobot.core.processors.transition`). A step never changes the one it is given.
    """

    state_framework: ClassVar[str]
    """Whose arrays `load_state_dict` wants: `"numpy"` or `"torch"`."""

    @property
    def registry_name(self) -> str:
        """Registered name of the step; empty for one that is not registered."""
        ...

    def __call__(self, transition: dict[str, Any]) -> dict[str, Any]:
        """Return the transformed transition."""
        ...

    def get_config(self) -> dict[str, Any]:
        """Fields of the step's configuration as JSON values; saved with the pipeline."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Arrays to save, by flat name; empty if the step has no state."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over saved arrays."""
        ...

    def save_artifacts(self, directory: Path) -> dict[str, str]:
        """Write what the configuration refers to (a tokenizer, ...) below a folder.

        Args:
            directory: an existing folder.

        Returns:
            By configuration key, the path written, relative to `directory`; on loading, that key holds the path.
        """
        ...

    def reset(self) -> None:
        """Forget everything about the episode so far."""
        ...

    def transform_features(self, features: dict[str, dict[str, FeatureSpec]]) -> dict[str, dict[str, FeatureSpec]]:
        """Say what this step makes of features.

        Args:
            features: two mappings, under `"observation"` and `"action"`.

        Returns:
            The same two mappings as they are after this step.
        """
        ...


@runtime_checkable
class Invertible(Protocol):
    """A step that can be undone."""

    def inverse(self) -> ProcessorStep:
        """Give the step that turns this step's results back into what it was given."""
        ...
