"""Learning from what it does itself: the same losses, of windows of transitions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.errors import ConfigError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import statistics
from lerobot.qcfql.algorithm import QCFQLAlgorithm, chunks_of
from lerobot.qcfql.config import QCFQLAlgorithmConfig, QCFQLConfig
from lerobot.qcfql.losses import Draws, losses
from lerobot.qcfql.policy import QCFQLPolicy
from lerobot.rl.config import LearnsFromReward
from lerobot.rl.learner import ReinforcementLearner
from lerobot.rl.replay.buffer import ReplayBuffer
from lerobot.rl.transition import Episode, Transition

Make = Callable[..., QCFQLPolicy]


def seen(number: int) -> dict[str, Any]:
    return {
        "observation.state": np.array([number, 1, -number], np.float32),
        "observation.environment_state": np.array([0.5, number / 8], np.float32),
    }


def experience(length: int, *, solved: bool) -> Episode:
    rows = [
        Transition(
            seen(number),
            np.array([number / length, -0.5], np.float32),
            reward=0.0 if solved and number == length - 1 else -1.0,
            terminal=solved and number == length - 1,
            success=solved and number == length - 1,
        )
        for number in range(length)
    ]
    return Episode(f"{length}", rows, seen(length))


def learner(policy: QCFQLPolicy, **settings: Any) -> ReinforcementLearner:
    trained = PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config)))
    preset = policy.config.algorithm_preset()
    config = QCFQLAlgorithmConfig.model_validate({**preset, **settings})
    buffer = ReplayBuffer(100, seed=1)
    buffer.add(experience(7, solved=True))
    buffer.add(experience(5, solved=False))
    torch.manual_seed(3)
    return ReinforcementLearner(QCFQLAlgorithm(config, trained), buffer, 16)


def test_it_learns_and_the_slow_critics_follow(make: Make) -> None:
    policy = make()
    slow = {name: value.clone() for name, value in policy.target_critic.state_dict().items()}
    learning = learner(policy, lr=3e-3)
    found = [float(learning.step()["flow_loss"]) for _ in range(60)]
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:10])
    assert any(not torch.equal(value, slow[name]) for name, value in policy.target_critic.state_dict().items())


def test_windows_that_end_early_are_no_chunks(make: Make) -> None:
    """A window of a whole chunk is backed up, up to the end of an episode too; a shorter one is not."""
    policy = make(actor="best_of_n")
    learning = learner(policy)
    batch = chunks_of(learning._sample())
    whole = batch.acted.all(1)
    assert whole.any()
    assert not whole.all()
    assert (batch.actions[~batch.acted] == 0).all()
    draws = Draws.of(policy.model, batch.actions)
    _, parts = losses(policy.config, policy.model, policy.target_critic, batch, draws)
    few = chunks_of(learning._sample())
    short = ~few.acted.all(1)
    rows = {name: getattr(few, name)[short] for name in ("actions", "rewards", "solved", "acted", "continued")}
    rows |= {name: {key: value[short] for key, value in getattr(few, name).items()} for name in ("before", "after")}
    alone = type(few)(**rows)
    draws = Draws.of(policy.model, alone.actions)
    assert parts["critic_loss"] > 0
    assert losses(policy.config, policy.model, policy.target_critic, alone, draws)[1]["critic_loss"] == 0


def test_it_goes_on_to_the_bit(make: Make, tmp_path: Path) -> None:
    whole, first, second = learner(make()), learner(make()), learner(make())
    for _ in range(4):
        whole.step()
    torch.manual_seed(3)
    for _ in range(2):
        first.step()
    state, draws = tmp_path / "training_state", torch.get_rng_state()
    state.mkdir()
    first.save_state(state)
    second.trained.policy.load_state_dict(first.trained.policy.state_dict())
    second.load_state(state)
    second.replay.load_state_dict(first.replay.state_dict())  # type: ignore[attr-defined]
    torch.set_rng_state(draws)
    for _ in range(2):
        second.step()
    ended = second.trained.policy.state_dict()
    assert all(torch.equal(value, ended[name]) for name, value in whole.trained.policy.state_dict().items())


def test_chunks_of_another_size_are_refused(make: Make) -> None:
    with pytest.raises(ConfigError, match=r"algorithm.chunk_size.*the policy's, 3"):
        learner(make(), chunk_size=4)


def test_the_policy_says_how_it_learns() -> None:
    assert isinstance(QCFQLConfig(), LearnsFromReward)
    config = QCFQLAlgorithmConfig.model_validate(QCFQLConfig(chunk_size=7, optimizer_lr=1e-3).algorithm_preset())
    assert (config.steps_per_window, config.lr) == (7, 1e-3)
