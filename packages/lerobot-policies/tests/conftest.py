"""A policy small enough to see through: one linear layer and a shared bias."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lerobot.core.registry import registry
from lerobot.policies.chunks import ActionQueue
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy

INPUTS = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 4, 5)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))}
STATS = {
    "observation.state": {"mean": [0.0, 1.0, 2.0], "std": [1.0, 0.5, 0.25]},
    "observation.images.top": {"mean": [[[0.4]], [[0.5]], [[0.6]]], "std": [[[0.2]], [[0.2]], [[0.2]]]},
    "action": {"min": [-1.0, 0.0], "max": [1.0, 10.0]},
}


class TinyConfig(PreTrainedConfig):
    """One layer."""

    target = f"{__name__}:TinyPolicy"
    type: str = "tiny"
    normalization_mapping: dict[FeatureType, NormalizationMode] = {
        FeatureType.VISUAL: NormalizationMode.MEAN_STD,
        FeatureType.STATE: NormalizationMode.MEAN_STD,
        FeatureType.ACTION: NormalizationMode.MIN_MAX,
    }


class TinyPolicy(PreTrainedPolicy):
    """Two actions per chunk, the state times a matrix."""

    def __init__(self, config: TinyConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        sizes = config.input_features["observation.state"].shape[0], config.output_features["action"].shape[0]
        self.layer = nn.Linear(*sizes)
        self.tied = nn.Linear(*sizes, bias=False)
        self.tied.weight = self.layer.weight
        self.from_scratch = from_scratch
        self._queue = ActionQueue(2)

    def reset(self) -> None:
        self._queue.reset()

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        return self._queue.next(lambda: self.predict_action_chunk(batch))

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        self.require_inputs(batch)
        return self.layer(batch["observation.state"])[:, None].repeat(1, 2, 1)

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        return self.predict_action_chunk(batch)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        return self.predict_action_chunk(batch).pow(2).mean(), {}


@pytest.fixture(autouse=True)
def tiny_is_registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "tiny", TinyConfig)
        yield


@pytest.fixture
def config() -> TinyConfig:
    return TinyConfig(input_features=INPUTS, output_features=OUTPUTS, device="cpu")


@pytest.fixture
def stats() -> dict[str, dict[str, Tensor]]:
    return {key: {name: torch.tensor(value) for name, value in entry.items()} for key, entry in STATS.items()}


@pytest.fixture
def observation() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "observation.state": torch.randn(3, generator=generator),
        "observation.images.top": torch.rand(3, 4, 5, generator=generator),
    }


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
