"""The same seed gives the same episodes, whatever stands beside them."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.envs.actor import to_frame
from lerobot.envs.assembly import env_maker, make_env
from lerobot.envs.benchmark import evaluate_policy
from lerobot.envs.config import EvalConfig, HubEnvConfig
from lerobot.envs.evaluation import rows_for
from lerobot.envs.rows import EnvRows
from lerobot.policies.processing.bridge import to_tensor

from .conftest import NoisyPolicy


def play(trained: Any, env: Any, rows: int, n: int = 11, videos: Path | None = None, **config: Any) -> dict[str, Any]:
    with EnvRows(env_maker(env), rows) as vector:
        evaluation = EvalConfig(n_episodes=n, **config)
        return evaluate_policy(trained, vector, env, evaluation, seed=50, videos=videos)


def metrics(results: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = results["per_task"][0]["metrics"]
    return found


def test_batch_sizes_give_identical_episodes(trained: Any, env_config: Any) -> None:
    """Chaos makes any difference in an action's last bit, queue or noise visible in the sum of rewards."""
    alone = metrics(play(trained, env_config, 1))
    assert len(set(alone["sum_rewards"])) == 11
    assert len(set(alone["steps"])) > 3
    for rows in (3, 8):
        assert metrics(play(trained, env_config, rows)) == alone


class DrawsElsewhere(NoisyPolicy):
    """Its noise comes from numpy and Python, as some of TD-MPC's does."""

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        noise = torch.from_numpy(np.random.normal(0, 0.1, (1, 3, 2)).astype(np.float32))
        return super().predict_action_chunk(batch) + noise * random.random()


def test_every_generator_is_the_episodes_own(trained: Any, env_config: Any) -> None:
    trained.policy.__class__ = DrawsElsewhere
    before = np.random.get_state()[1].tolist(), random.getstate()
    alone = metrics(play(trained, env_config, 1, n=5))
    assert metrics(play(trained, env_config, 3, n=5)) == alone
    assert metrics(play(trained, env_config, 1, n=2))["sum_rewards"] == alone["sum_rewards"][:2]
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_an_episode_depends_on_its_own_number_only(trained: Any, env_config: Any) -> None:
    long = metrics(play(trained, env_config, 3, n=11))
    short = metrics(play(trained, env_config, 2, n=4))
    assert short["sum_rewards"] == long["sum_rewards"][:4]
    assert long["seeds"] == list(range(50, 61))


def test_evaluation_leaves_random_numbers_and_policy_alone(trained: Any, env_config: Any) -> None:
    before = torch.get_rng_state()
    trained.policy.train()
    play(trained, env_config, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert trained.policy.training
    assert len(trained.policy.queue) == 0


def test_the_simulated_arm_in_processes_of_its_own_is_the_same(trained: Any) -> None:
    """Real worker processes: the random policy on a task that starts differently with every seed."""
    from lerobot.envs.evaluation import evaluate
    from lerobot.sim.config import SimEnvConfig

    class Waver:
        def start(self, seed: int, task: str) -> None:
            assert task
            self.random = np.random.default_rng(seed)

        def act(self, observation: Any) -> np.ndarray:
            noise = self.random.normal(0, 5, 6).astype(np.float32)
            return np.asarray(observation["agent_pos"] + noise, np.float32)

    config = SimEnvConfig(task="reach", cameras=(), episode_length=12)
    played = []
    for count, use_async in ((1, False), (2, True)):
        with EnvRows(env_maker(config), count, use_async=use_async) as rows:
            played.append(evaluate(rows, [Waver() for _ in range(count)], 3, seed=9))
    assert played[0] == played[1]
    assert len({episode.sum_reward for episode in played[0]}) == 3


def test_videos_are_the_first_episodes_picture_by_picture(trained: Any, env_config: Any, tmp_path: Path) -> None:
    results = play(trained, env_config, 3, n=5, videos=tmp_path, n_videos=2)
    files = sorted((tmp_path / "point_0").iterdir())
    assert [file.name for file in files] == ["eval_episode_0.mp4", "eval_episode_1.mp4"]
    assert metrics(results)["video_paths"] == [str(file) for file in files]
    for file, steps in zip(files, metrics(results)["steps"][:2], strict=True):
        with av.open(str(file)) as container:
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
            assert container.streams.video[0].average_rate == 10
        assert len(pictures) == steps + 1
        assert pictures[0].shape == (8, 10, 3)


def test_episodes_are_cut_off_by_the_configuration(trained: Any, env_config: Any) -> None:
    short = env_config.model_copy(update={"episode_length": 6})
    steps = metrics(play(trained, env_config, 2))["steps"]
    assert metrics(play(trained, short, 2))["steps"] == [min(count, 6) for count in steps]
    assert max(steps) == 20


def test_a_policy_that_needs_more_is_refused(trained: Any, env_config: Any) -> None:
    trained.policy.config = trained.policy.config.model_copy(
        update={"input_features": {**trained.policy.config.input_features, "observation.images.wrist": _wrist()}}
    )
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.wrist") as caught:
        play(trained, env_config, 1)
    assert caught.value.keys == ("observation.images.wrist",)


def _wrist() -> Any:
    from lerobot.policies.features import FeatureType, PolicyFeature

    return PolicyFeature(type=FeatureType.VISUAL, shape=(3, 8, 10))


def test_pictures_become_what_datasets_give(env_config: Any) -> None:
    from lerobot.datasets.reader.tensors import image_tensor

    env = make_env(env_config)
    observation, _ = env.reset(seed=1)
    frame = to_frame(observation)
    assert list(frame) == ["observation.state", "observation.images.top"]
    expected = image_tensor(observation["pixels"]["top"], depth=False)
    assert torch.equal(to_tensor(frame["observation.images.top"]), expected)
    assert torch.equal(to_tensor(frame["observation.state"]), torch.from_numpy(observation["agent_pos"]))
    renamed = to_frame(observation, {"pixels/top": "observation.images.front"})
    assert "observation.images.front" in renamed


def test_an_environment_that_does_not_say_success_is_refused(env_config: Any) -> None:
    env = make_env(env_config)
    step = env.unwrapped.step
    env.unwrapped.step = lambda action: (*step(action)[:4], {})
    env.reset(seed=0)
    for _ in range(env.unwrapped.left - 1):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(LeRobotError, match="does not say whether its task was solved"):
        env.step(np.zeros(2, np.float32))


def test_rows_are_as_many_as_needed() -> None:
    assert rows_for(8, 3) == 3
    assert rows_for(2, 50) == 2
    assert 1 <= rows_for(0, 4) <= 4


def test_code_from_the_hub_needs_trust(tmp_path: Path) -> None:
    marker = tmp_path / "was_run"
    (tmp_path / "env.py").write_text(
        f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n"
        "import gymnasium\n"
        "def make_env(n_envs, use_async_envs):\n"
        "    return {'suite': {0: gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make('CartPole-v1')] * n_envs)}}\n"
    )
    config = HubEnvConfig(hub_path=str(tmp_path))
    with pytest.raises(LeRobotError, match="is a program") as caught:
        make_env(config)
    assert "--trust_remote_code=true" in caught.value.hint
    assert not marker.exists()
    env = make_env(config, trust_remote_code=True)
    assert marker.exists()
    assert env.action_space.n == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1\n", "defines no function make_env"), ("def make_env():\n    return 3\n", "returned int")],
)
def test_a_file_that_makes_no_environment_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "env.py").write_text(text)
    with pytest.raises(LeRobotError, match=message):
        make_env(HubEnvConfig(hub_path=str(tmp_path)), trust_remote_code=True)


def test_results_are_json(trained: Any, env_config: Any) -> None:
    results = play(trained, env_config, 2, n=3)
    assert json.loads(json.dumps(results)) == results
    assert results["overall"]["n"] == 3
