"""The model of a third-party policy's configuration: what is learned from, and how, is what the plugin says."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lerobot.compat.plugins.models import Adapted
from lerobot.policies.config import PreTrainedConfig


class AdaptedPolicyConfig(Adapted, PreTrainedConfig):
    """A third-party policy; what this model has no name for is asked of the plugin's dataclass."""

    target: ClassVar[str] = "lerobot.compat.plugins.policy:adapted_policy"
    processors: ClassVar[str] = "lerobot.compat.plugins.policy:adapted_processors"

    def __getattr__(self, name: str) -> Any:
        """Properties and methods of the dataclass."""
        if name.startswith("_"):
            return super().__getattr__(name)  # type: ignore[misc] # pydantic's, for private attributes
        return getattr(self.original(), name)

    @property
    def observation_delta_indices(self) -> Sequence[int] | None:
        """See `PreTrainedConfig.observation_delta_indices`."""
        indices: Sequence[int] | None = self.original().observation_delta_indices
        return indices

    @property
    def action_delta_indices(self) -> Sequence[int] | None:
        """See `PreTrainedConfig.action_delta_indices`."""
        indices: Sequence[int] | None = self.original().action_delta_indices
        return indices

    @property
    def reward_delta_indices(self) -> Sequence[int] | None:
        """See `PreTrainedConfig.reward_delta_indices`."""
        indices: Sequence[int] | None = self.original().reward_delta_indices
        return indices

    @property
    def unlearned_last_frames(self) -> int:
        """See `PreTrainedConfig.unlearned_last_frames`; a field of another name there."""
        return int(vars(self.original()).get("drop_n_last_frames", 0))

    @property
    def executed_steps(self) -> int:
        """See `PreTrainedConfig.executed_steps`; a field of another name there."""
        return int(vars(self.original()).get("n_action_steps", 1))

    def optimizer_preset(self) -> Mapping[str, Any]:
        """See `PreTrainedConfig.optimizer_preset`."""
        return _section(self.original().get_optimizer_preset())

    def scheduler_preset(self) -> Mapping[str, Any] | None:
        """See `PreTrainedConfig.scheduler_preset`."""
        preset = self.original().get_scheduler_preset()
        return None if preset is None else _section(preset)

    def validate_features(self) -> None:
        """See `PreTrainedConfig.validate_features`; then what the plugin checks itself."""
        super().validate_features()
        self.original().validate_features()


def _section(preset: Any) -> Mapping[str, Any]:
    """The configuration of an optimizer or schedule as a section of a training configuration."""
    section: dict[str, Any] = {**preset.model_dump(), "type": preset.type}
    return section
