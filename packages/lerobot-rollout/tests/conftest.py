"""A policy that always wants the same, and the fake robot it drives."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lerobot.core.config import load
from lerobot.core.fake import robot as fake_robot
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.chunks import ActionQueue
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig

JOINTS = 6
INPUTS = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(JOINTS,)),
    "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(JOINTS,))}


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
    """Two actions per chunk, the state times a matrix of zeros."""

    def __init__(self, config: TinyConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.layer = nn.Linear(JOINTS, JOINTS)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self._queue = ActionQueue(2)

    def reset(self) -> None:
        self._queue.reset()

    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        return self._queue.next(lambda: self.predict_action_chunk(batch))

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        self.require_inputs(batch)
        return self.layer(batch["observation.state"])[:, None].repeat(1, 2, 1)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        return self.predict_action_chunk(batch).pow(2).mean(), {}


@pytest.fixture(autouse=True)
def tiny_is_registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "tiny", TinyConfig)
        yield


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))


@pytest.fixture
def robots(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every fake robot that is built."""
    built: list[Any] = []
    original = fake_robot.FakeRobot.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        built.append(self)

    monkeypatch.setattr(fake_robot.FakeRobot, "__init__", init)
    return built


@pytest.fixture
def arm() -> PolicyWithProcessors:
    """Always wants every joint at 10, whatever it sees."""
    config = TinyConfig(input_features=INPUTS, output_features=OUTPUTS, device="cpu")
    stats = {
        "observation.state": {"mean": torch.zeros(JOINTS), "std": torch.ones(JOINTS)},
        "observation.images.top": {"mean": torch.zeros(3), "std": torch.ones(3)},
        "action": {"min": torch.zeros(JOINTS), "max": torch.full((JOINTS,), 20.0)},
    }
    return PolicyWithProcessors(config.build(), make_processors(config, stats))


@pytest.fixture
def run(tmp_path: Path, arm: PolicyWithProcessors) -> Callable[..., int]:
    """Runs the command with the trained policy, saved and loaded again."""
    folder = tmp_path / "trained"
    arm.save_pretrained(folder)

    def rollout_with(*arguments: str) -> int:
        flags = [f"--policy.path={folder}", "--robot.type=fake", "--fps=50", *arguments]
        return rollout(load(RolloutConfig, flags).config)

    return rollout_with
