"""A policy of another package plays PushT through the evaluation of every day."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import env_maker, make_env
from lerobot.envs.benchmark import evaluate_policy
from lerobot.envs.config import EvalConfig
from lerobot.envs.rows import EnvRows
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.pusht.config import PushTConfig

TINY = {
    "device": "cpu",
    "pretrained_backbone_weights": None,
    "dim_model": 16,
    "n_heads": 2,
    "dim_feedforward": 16,
    "n_encoder_layers": 1,
    "chunk_size": 10,
    "n_action_steps": 10,
}


def untrained(env: PushTConfig) -> PolicyWithProcessors:
    """ACT with random weights, and the table as the range of everything."""
    one = make_env(env)
    features = provided_features(one.observation_space, one.action_space, env.features_map)
    one.close()
    config: Any = TypeAdapter(PreTrainedConfig).validate_python({"type": "act", **TINY})
    torch.manual_seed(0)
    policy = make_policy(config, features)
    middle = {
        key: {"mean": np.full(feature.shape, 256.0, np.float32), "std": np.full(feature.shape, 128.0, np.float32)}
        for key, feature in features.items()
        if len(feature.shape) == 1
    }
    pictures = {"mean": np.full((3, 1, 1), 0.5, np.float32), "std": np.full((3, 1, 1), 0.5, np.float32)}
    stats = {**middle, **{key: pictures for key in features if key not in middle}}
    return PolicyWithProcessors(policy, make_pre_post_processors(policy.config, stats))


def test_batch_sizes_give_identical_episodes() -> None:
    env = PushTConfig(obs_type="environment_state_agent_pos", episode_length=40)
    trained, found = untrained(env), []
    for count in (1, 3, 8):
        with EnvRows(env_maker(env), count) as rows:
            report = evaluate_policy(trained, rows, env, EvalConfig(n_episodes=8), seed=1000)
        found.append(report["per_task"][0]["metrics"])
    assert found[0] == found[1] == found[2]
    assert found[0]["seeds"] == list(range(1000, 1008))
    assert len(set(found[0]["sum_rewards"])) > 1


@pytest.mark.parametrize("obs_type", ["pixels_agent_pos", "pixels"])
def test_a_policy_that_sees_is_filmed(obs_type: str, tmp_path: Path) -> None:
    env = PushTConfig(obs_type=obs_type, episode_length=12)
    with EnvRows(env_maker(env), 1) as rows:
        evaluate_policy(untrained(env), rows, env, EvalConfig(n_episodes=1), seed=0, videos=tmp_path)
    with av.open(str(tmp_path / "pusht_0" / "eval_episode_0.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 10
    assert len(pictures) == 13
    assert pictures[0].shape == (384, 384, 3)
