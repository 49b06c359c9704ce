"""A policy small enough to train in milliseconds, with dropout and noise so that every random state matters.

Of pictures it sees the mean of each colour.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from lerobot.policies.chunks import ActionQueue
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode
from lerobot.policies.policy import PreTrainedPolicy


class TinyConfig(PreTrainedConfig):
    """Chunks from the state, with noise."""

    target: ClassVar[str] = "tiny_policy:TinyPolicy"

    type: str = "tiny"
    horizon: int = 4
    width: int = 16
    noise: float = 0.1
    lr: float = 1e-2
    with_schedule: bool = False
    normalization_mapping: dict[FeatureType, NormalizationMode] = {
        FeatureType.STATE: NormalizationMode.MEAN_STD,
        FeatureType.ACTION: NormalizationMode.MEAN_STD,
        FeatureType.VISUAL: NormalizationMode.MEAN_STD,
    }

    @property
    def action_delta_indices(self) -> Sequence[int]:
        return range(self.horizon)

    def optimizer_preset(self) -> Mapping[str, Any]:
        return {"type": "adamw", "lr": self.lr, "grad_clip_norm": 1.0}

    def scheduler_preset(self) -> Mapping[str, Any] | None:
        return {"type": "diffuser", "name": "cosine", "num_warmup_steps": 2} if self.with_schedule else None


class TinyPolicy(PreTrainedPolicy):
    def __init__(self, config: TinyConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.tiny = config
        inputs = config.input_features["observation.state"].shape[0]
        outputs = config.output_features["action"].shape[0]
        self.net = nn.Sequential(
            nn.Linear(inputs, config.width),
            nn.ReLU(),
            nn.Dropout(0.1 if config.noise else 0.0),
            nn.Linear(config.width, outputs * config.horizon),
        )
        self.queue = ActionQueue(config.horizon)

    def reset(self) -> None:
        self.queue.reset()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        state = batch["observation.state"]
        for camera in self.tiny.image_features:
            state = state + batch[camera].mean(dim=(-2, -1))
        if self.training and self.tiny.noise:
            # All three generators, and Python's and numpy's cached half of a pair.
            shift = random.gauss(0, 1) + np.random.normal()
            state = state + self.tiny.noise * (torch.randn_like(state) + shift)
        return self.net(state).unflatten(-1, (self.tiny.horizon, -1))

    def select_action(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return self.queue.next(lambda: self.predict_action_chunk(batch))

    def forward(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        error = (self.predict_action_chunk(batch) - batch["action"]) ** 2
        loss = (error * ~batch["action_is_pad"].unsqueeze(-1)).mean()
        return loss, {"largest_error": error.max()}
