"""A policy that brings every joint to 10, the fake robot it drives, and a person at a terminal who watches."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from lerobot.core.config import load
from lerobot.core.fake import robot as fake_robot
from lerobot.core.registry import registry
from lerobot.core.testing import Typist
from lerobot.datasets.record.progress import Progress
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy

USUAL = {
    "robot.type": "fake",
    "fps": "50",
    "safety.ramp_s": "0",
    "eval.n_episodes": "3",
    "eval.episode_time_s": "10",
    "eval.reset_time_s": "0.1",
    "return_to_initial_position": "false",
    "play_sounds": "false",
    "task": "Reach ten",
}


class TenConfig(PreTrainedConfig):
    target: ClassVar[str] = f"{__name__}:TenPolicy"
    type: str = "ten"
    device: str | None = "cpu"


class TenPolicy(PreTrainedPolicy):
    """Wants every joint at 10; tells whoever listens that it was asked."""

    asked: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def __init__(self, config: PreTrainedConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.goal = nn.Parameter(torch.full((6,), 10.0))

    def reset(self) -> None:
        """It remembers nothing."""

    def select_action(self, batch: Mapping[str, Any]) -> torch.Tensor:
        type(self).asked()
        return self.goal[None].detach()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return self.select_action(batch)[:, None]

    def forward(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        raise AssertionError("never trained here")


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "ten", TenConfig)
        yield


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    vector = {"shape": (6,)}
    features = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, **vector),
        "action": PolicyFeature(type=FeatureType.ACTION, **vector),
    }
    policy = make_policy(TenConfig(), features)
    PolicyWithProcessors(policy, make_pre_post_processors(policy.config)).save_pretrained(tmp_path / "policy")
    return tmp_path / "policy"


@pytest.fixture
def configure(checkpoint: Path, tmp_path: Path) -> Callable[..., EvalPipelineConfig]:
    """Makes the configuration of a quick evaluation of three episodes on the fake robot."""

    def made(*arguments: str) -> EvalPipelineConfig:
        given = {argument.removeprefix("--").partition("=")[0] for argument in arguments}
        usual = {"policy.path": str(checkpoint), "output_dir": str(tmp_path / "played"), **USUAL}
        flags = [f"--{key}={value}" for key, value in usual.items() if key not in given]
        return load(EvalPipelineConfig, [*flags, *arguments]).config

    return made


@pytest.fixture
def evaluate(configure: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs it; gives the report."""

    def evaluated(*arguments: str) -> dict[str, Any]:
        assert eval_command(configure(*arguments)) == 0
        found: dict[str, Any] = json.loads((tmp_path / "played" / "eval_info.json").read_text())
        return found

    return evaluated


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Reads the lines of the journal, that of the settings left out."""

    def lines() -> list[dict[str, Any]]:
        path = tmp_path / "played" / "episodes.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()[1:]] if path.exists() else []

    return lines


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


class Person:
    """Reads what is shown, and types when the text appears that was waited for."""

    def __init__(self, typist: Typist, plan: list[tuple[str, str]]) -> None:
        self.typist = typist
        self.plan = plan
        self.shown = ""
        self.unread = ""

    def see(self, text: str) -> None:
        self.shown += text
        self.unread += text
        while self.plan and self.plan[0][0] in self.unread:
            waited_for, keys = self.plan.pop(0)
            self.unread = self.unread.partition(waited_for)[2]
            self.typist.type(keys)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Person]]:
    """Seats a person at a real pseudo-terminal: types `keys` after `text` was shown, one pair after the other."""
    with Typist() as typist:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: typist.terminal))

        def seated(*plan: tuple[str, str]) -> Person:
            watching = Person(typist, list(plan))
            monkeypatch.setattr(Progress, "_write", lambda _, text: watching.see(text))
            monkeypatch.setattr(Progress, "due", lambda _: True)
            return watching

        yield seated
