"""Noise on states: as large as asked for, in training alone, and the same for a run that goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lerobot.training.augmentation.state_noise import StateNoise

DEVIATIONS = {"observation.state": [1.0, 0.0, 3.0]}


def test_each_number_gets_its_part() -> None:
    batch = {"observation.state": torch.zeros(4000, 2, 3), "action": torch.zeros(4000, 3)}
    found = StateNoise(0.1, DEVIATIONS, seed=0)(batch, 7)
    spread = found["observation.state"].std(dim=(0, 1))
    assert spread.tolist() == pytest.approx([0.1, 0.0, 0.3], rel=0.05)
    assert abs(found["observation.state"].mean()) < 0.01
    assert torch.equal(found["action"], batch["action"])
    assert not batch["observation.state"].any()


def test_draws_follow_seed_step_and_process() -> None:
    batch = {"observation.state": torch.zeros(5, 3)}
    settings = [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    drawn = [StateNoise(0.1, DEVIATIONS, seed=s, rank=r)(batch, step)["observation.state"] for s, step, r in settings]
    assert torch.equal(drawn[0], drawn[1])
    assert all(not torch.equal(drawn[0], other) for other in drawn[2:])


def test_a_run_that_goes_on_sees_the_same_noise(
    train: Callable[..., Path],
    resume: Callable[..., None],
    states: Callable[[Path], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    noisy = ("--dataset.state_noise=0.1", "--steps=6", "--save_freq=3", "--scheduler.type=one_cycle")
    plain = train(tmp_path / "plain", "--steps=6", "--save_freq=3", "--scheduler.type=one_cycle")
    whole, parts = (train(tmp_path / name, *noisy) for name in ("whole", "parts"))
    for file in (parts / "checkpoints/000006").rglob("*.safetensors"):
        file.unlink()
    resume(parts / "checkpoints/000003")
    last = "checkpoints/000006"
    assert states(whole / last) == states(parts / last)
    assert states(whole / last) != states(plain / last)
