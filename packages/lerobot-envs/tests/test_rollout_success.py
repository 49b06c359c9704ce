"""A policy solves its task as often on the robot, through the control loop and the gate, as in the environment."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.core.safety import SafetyGate
from lerobot.datasets.record.requests import Request
from lerobot.envs.assembly import env_maker
from lerobot.envs.benchmark import evaluate_policy
from lerobot.envs.config import EvalConfig
from lerobot.envs.rows import EnvRows
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.sim.config import SimEnvConfig
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import to_units
from lerobot.sim.running import running
from lerobot.sim.world import World

EPISODES_ROBOT, EPISODES_ENV = 24, 48
FAILURE_RATE = 0.3


class ExpertConfig(PreTrainedConfig):
    target: ClassVar[str] = f"{__name__}:ExpertPolicy"
    type: str = "expert"
    device: str | None = "cpu"


class ExpertPolicy(PreTrainedPolicy):
    """The scripted expert, who fails on purpose now and then, behind the interface of a policy."""

    world: ClassVar[Callable[[], World | None]]
    """Where the scene is to be found; None while there is none, as at the rehearsal of a rollout."""

    def __init__(self, config: PreTrainedConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.nothing = nn.Parameter(torch.zeros(()))
        self._expert: Expert | None = None

    def reset(self) -> None:
        self._expert = None

    def select_action(self, batch: Mapping[str, Any]) -> torch.Tensor:
        if (world := type(self).world()) is None:
            return torch.zeros(1, 6)
        with world.lock:
            world.sync()
            if self._expert is None:
                self._expert = Expert(world, Skill(failure_rate=FAILURE_RATE))
            return torch.tensor([list(to_units(self._expert.command(), degrees=True).values())])

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return self.select_action(batch)[:, None]

    def forward(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        raise AssertionError("never trained here")


@pytest.fixture(autouse=True)
def expert_is_registered() -> Iterator[None]:
    with registry.temporary():
        registry.register("policy", "expert", ExpertConfig)
        yield


@pytest.fixture
def expert() -> PolicyWithProcessors:
    features = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
        "action": PolicyFeature(type=FeatureType.ACTION, shape=(6,)),
    }
    policy = make_policy(ExpertConfig(), features)
    return PolicyWithProcessors(policy, make_pre_post_processors(policy.config))


@pytest.mark.slow
def test_the_robot_succeeds_as_often_as_the_environment(
    expert: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    env = SimEnvConfig(task="lift", cameras=())
    with EnvRows(env_maker(env), 1) as rows:
        scene = rows._vector.envs[0].unwrapped.world
        monkeypatch.setattr(ExpertPolicy, "world", staticmethod(lambda: scene), raising=False)
        evaluation = EvalConfig(n_episodes=EPISODES_ENV, n_videos=0)
        overall = evaluate_policy(expert, rows, env, evaluation, seed=1000)["overall"]
    assert 0 < overall["n_success"] < EPISODES_ENV

    monkeypatch.setattr(ExpertPolicy, "world", staticmethod(lambda: next(iter(running.all()), None)))
    monkeypatch.setattr("lerobot.datasets.record.command.open_keyboard", Watcher)
    gated: list[bool] = []
    check = SafetyGate.check

    def counted(gate: SafetyGate, *arguments: Any, **named: Any) -> Any:
        gated.append(gate.enabled)
        return check(gate, *arguments, **named)

    monkeypatch.setattr(SafetyGate, "check", counted)
    expert.save_pretrained(tmp_path / "expert")
    root = tmp_path / "rollouts"
    arguments = [
        f"--policy.path={tmp_path / 'expert'}",
        "--robot.type=sim_so101",
        "--robot.task=lift",
        "--robot.seed=7",
        "--robot.realtime=false",
        "--strategy.type=episodic",
        "--dataset.repo_id=me/rollout_lift",
        f"--dataset.root={root}",
        f"--dataset.num_episodes={EPISODES_ROBOT}",
        "--dataset.episode_time_s=10",
        "--dataset.reset_time_s=2",
        "--play_sounds=false",
    ]
    assert rollout(load(RolloutConfig, arguments).config) == 0
    stored = [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
    outcomes = {row["episode_index"]: row["outcome"] for row in stored}
    assert len(outcomes) == EPISODES_ROBOT
    rate = 100 * sum(outcome == "success" for outcome in outcomes.values()) / EPISODES_ROBOT
    low, high = overall["pc_success_interval_95"]
    assert low <= rate <= high, f"{rate:.1f} % on the robot, {low:.1f} to {high:.1f} % in the environment"
    assert len(gated) > len(stored)
    assert all(gated)


class Watcher:
    """A person who sees that the task is solved, and says so."""

    def poll(self) -> list[Request]:
        world = running.all()[0]
        return [Request.SUCCESS] if world.task.solved(world) else []

    def help(self) -> str:
        return "Somebody watches."

    def close(self) -> None:
        """Leaves."""
