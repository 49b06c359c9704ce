from dataclasses import dataclass, field
from typing import Any

from lerobot.configs.policies import PreTrainedConfig
from lerobot.configs.types import NormalizationMode


@PreTrainedConfig.register_subclass("crumbs")
@dataclass
class CrumbsConfig(PreTrainedConfig):
    chunk_size: int = 4  # steps that are predicted at once
    n_action_steps: int = 2
    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: {"STATE": NormalizationMode.MEAN_STD, "ACTION": NormalizationMode.MEAN_STD}
    )
    optimizer_lr: float = 3e-3
    drop_n_last_frames: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_action_steps > self.chunk_size:
            raise ValueError(f"{self.n_action_steps} steps cannot be executed of {self.chunk_size}")

    def validate_features(self) -> None:
        if not self.robot_state_feature:
            raise ValueError("crumbs needs observation.state")

    def get_optimizer_preset(self) -> Any:
        from lerobot.optim.optimizers import AdamWConfig

        return AdamWConfig(lr=self.optimizer_lr, weight_decay=0.0)

    def get_scheduler_preset(self) -> None:
        return None

    @property
    def observation_delta_indices(self) -> None:
        return None

    @property
    def action_delta_indices(self) -> list[int]:
        return list(range(self.chunk_size))

    @property
    def reward_delta_indices(self) -> None:
        return None
