"""`lerobot eval` in an environment of the Hub; a folder stands in for what would be downloaded."""

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from lerobot.core.config import load
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig

PROGRAM = """
import gymnasium, numpy

class Drift(gymnasium.Env):
    observation_space = gymnasium.spaces.Dict({"agent_pos": gymnasium.spaces.Box(-9, 9, (2,), numpy.float32),
        "pixels": gymnasium.spaces.Dict({"top": gymnasium.spaces.Box(0, 255, (8, 10, 3), numpy.uint8)})})
    action_space = gymnasium.spaces.Box(-1, 1, (2,), numpy.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 3
        return self.see(), {}

    def step(self, action):
        self.left -= 1
        return self.see(), 1.0, self.left == 0, False, {"is_success": True}

    def see(self):
        return {"agent_pos": self.np_random.normal(size=2).astype("f4"),
            "pixels": {"top": numpy.zeros((8, 10, 3), "u1")}}

def make_env(n_envs=1):
    return gymnasium.vector.SyncVectorEnv([Drift] * n_envs)
"""


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """A repository with one program, and a list of what was asked of the Hub."""
    folder = tmp_path / "snapshot"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "drift.py").write_text(PROGRAM)
    asked: list[tuple[str, str | None]] = []

    def snapshot_download(repo_id: str, *, revision: str | None = None) -> str:
        asked.append((repo_id, revision))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


@pytest.fixture
def arguments(trained: Any, tmp_path: Path) -> list[str]:
    trained.save_pretrained(tmp_path / "trained")
    return [
        f"--policy.path={tmp_path / 'trained'}",
        "--env.type=hub",
        "--env.hub_path=owner/drift@v2:tasks/drift.py",
        f"--output_dir={tmp_path / 'out'}",
        "--eval.n_episodes=2",
        "--eval.n_videos=0",
        "--eval.use_async_envs=false",
    ]


@pytest.fixture(autouse=True)
def noisy_is_registered(trained: Any) -> Any:
    with registry.temporary():
        registry.register("policy", "noisy", type(trained.policy.config))
        yield


def test_nothing_is_downloaded_without_trust(arguments: list[str], downloads: list[Any], tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match=r"'owner/drift@v2:tasks/drift\.py' is a program that would run") as caught:
        eval_command(load(EvalPipelineConfig, arguments).config)
    assert "--trust_remote_code=true" in caught.value.hint
    assert downloads == []
    assert not (tmp_path / "out").exists()


def test_with_trust_the_revision_and_file_that_were_named_are_played(
    arguments: list[str], downloads: list[Any], tmp_path: Path
) -> None:
    eval_command(load(EvalPipelineConfig, [*arguments, "--trust_remote_code=true"]).config)
    assert set(downloads) == {("owner/drift", "v2")}
    overall = json.loads((tmp_path / "out" / "eval_info.json").read_text())["overall"]
    assert (overall["n"], overall["pc_success"], overall["avg_sum_reward"]) == (2, 100.0, 3.0)


def test_a_file_the_repository_does_not_have_is_named(arguments: list[str], downloads: list[Any]) -> None:
    arguments[2] = "--env.hub_path=owner/drift"
    with pytest.raises(LeRobotError, match=r"repository owner/drift has no file env\.py"):
        eval_command(load(EvalPipelineConfig, [*arguments, "--trust_remote_code=true"]).config)
    assert downloads == [("owner/drift", None)]
