"""An algorithm with several optimizers: learns, is saved, and goes on to the bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from experience import Cloning, CloningConfig, episode, policy

from lerobot.core.errors import CheckpointError
from lerobot.rl.learner import ReinforcementLearner
from lerobot.rl.replay.buffer import ReplayBuffer
from lerobot.rl.replay.shifts import shifted


def _learner(**settings: Any) -> ReinforcementLearner:
    buffer = ReplayBuffer(100, seed=1)
    buffer.add(episode("a", 9))
    torch.manual_seed(7)
    return ReinforcementLearner(Cloning(CloningConfig(**settings), policy()), buffer, 16)


def test_losses_fall() -> None:
    learner = _learner(steps=3)
    before = learner.step()
    for _ in range(200):
        after = learner.step()
    assert float(after["actor"]) < 0.2 * float(before["actor"])
    assert learner.rates == {"lr": 1e-2}


def test_it_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole, first, second = _learner(), _learner(), _learner()
    for _ in range(5):
        whole.step()
    for _ in range(2):
        first.step()
    state = tmp_path / "training_state"
    state.mkdir()
    first.save_state(state)
    first.trained.save_pretrained(tmp_path / "pretrained_model")
    second.trained.policy.load_state_dict(first.trained.policy.state_dict())
    second.load_state(state)
    second.replay.load_state_dict(first.replay.state_dict())  # type: ignore[attr-defined]
    for _ in range(3):
        second.step()
    for name, value in whole.trained.policy.state_dict().items():
        assert torch.equal(value, second.trained.policy.state_dict()[name])
    for name, value in whole.algorithm.state_dict().items():
        assert torch.equal(value, second.algorithm.state_dict()[name])


def test_batches_are_what_the_policy_takes() -> None:
    learner = _learner()
    batch = learner._sample()
    raw = learner.replay.sample(16)
    assert batch.action.abs().max() <= 1
    assert batch.observation.keys() == batch.next_observation.keys() == {*raw.observation}
    assert batch.observation["observation.images.front"].dtype == torch.float32


def test_weights_of_another_algorithm_are_refused(tmp_path: Path) -> None:
    learner = _learner()
    state = tmp_path / "training_state"
    state.mkdir()
    learner.save_state(state)
    (tmp_path / "algorithm" / "config.json").write_text('{"type": "other"}')
    with pytest.raises(CheckpointError, match="algorithm 'other'"):
        learner.load_state(state)
    with pytest.raises(CheckpointError, match="do not fit"):
        learner.algorithm.load_state_dict({"weight": torch.zeros(1, 2)})


def test_pictures_are_shifted_and_their_edges_go_on() -> None:
    pictures = torch.arange(2 * 3 * 5 * 7, dtype=torch.float32).view(2, 3, 5, 7)
    torch.manual_seed(0)
    seen = set()
    for _ in range(60):
        moved = shifted(pictures, 2)
        assert moved.shape == pictures.shape
        for index in range(2):
            down = {d for d in range(-2, 3) for r in range(-2, 3) if _is_at(moved[index], pictures[index], d, r)}
            right = {r for d in range(-2, 3) for r in range(-2, 3) if _is_at(moved[index], pictures[index], d, r)}
            assert len(down) == len(right) == 1
            seen.add((down.pop(), right.pop()))
    assert len(seen) > 20, "each picture goes its own way"


def _is_at(moved: torch.Tensor, picture: torch.Tensor, down: int, right: int) -> bool:
    rows = (torch.arange(5) + down).clamp(0, 4)
    columns = (torch.arange(7) + right).clamp(0, 6)
    return torch.equal(moved, picture[:, rows][:, :, columns])
