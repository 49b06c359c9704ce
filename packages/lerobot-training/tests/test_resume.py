"""A run that was interrupted ends as the one that never was: to the last bit."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "more", [(), ("--policy.with_schedule=true",), ("--optimizer.type=sgd", "--optimizer.momentum=0.9")]
)
def test_resumed_equals_uninterrupted(
    train: Callable[..., Path],
    resume: Callable[..., None],
    states: Callable[[Path], dict[str, bytes]],
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    """In the middle of an epoch (73 frames make 19 batches), and over its end."""
    whole = train(tmp_path / "whole", "--steps=25", "--save_freq=7", *more)
    for step in (7, 21):
        resume(whole / f"checkpoints/{step:06}", *())
        assert (whole / "checkpoints/last").resolve().name == "000025"
    again = train(tmp_path / "again", "--steps=25", "--save_freq=0", *more)
    assert states(again / "checkpoints/000025") == states(whole / "checkpoints/000025")


def test_two_seeds_differ(
    train: Callable[..., Path], states: Callable[[Path], dict[str, bytes]], tmp_path: Path
) -> None:
    """Otherwise the equality above would say nothing."""
    first = train(tmp_path / "a", "--steps=3")
    second = train(tmp_path / "b", "--steps=3", "--seed=1001")
    name = "pretrained_model/model.safetensors"
    assert states(first / "checkpoints/last")[name] != states(second / "checkpoints/last")[name]
