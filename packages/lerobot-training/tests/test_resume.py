"""A run that was interrupted ends as the one that never was: to the last bit."""

import random
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


@pytest.mark.parametrize(
    "more",
    [
        ("--dataset.image_transforms.enable=true",),
        ("--ema.enable=true",),
        ("--dataset.streaming=true",),
        ("--dataset.streaming=true", "--num_workers=2", "--dataloader_multiprocessing_context=fork"),
        ("--num_workers=2", "--dataset.image_transforms.enable=true", "--dataloader_multiprocessing_context=fork"),
    ],
    ids=lambda more: " ".join(flag.rpartition(".")[2] for flag in more),
)
def test_with_everything_switched_on_too(
    train: Callable[..., Path],
    resume: Callable[..., None],
    states: Callable[[Path], dict[str, bytes]],
    seen: Path,
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    """Changed pictures, an average, a stream, workers; in the second epoch, from a step drawn anew every time."""
    step = random.SystemRandom().randrange(20, 24)
    flags = (f"--dataset.root={seen}", "--steps=25", *more)
    whole = train(tmp_path / "whole", *flags, f"--save_freq={step}")
    expected = states(whole / "checkpoints/000025")
    resume(whole / f"checkpoints/{step:06}")
    assert states(whole / "checkpoints/000025") == expected
    plain = train(tmp_path / "plain", f"--dataset.root={seen}", "--steps=25", "--save_freq=0")
    changed = {name for name, content in states(plain / "checkpoints/last").items() if content != expected[name]}
    # An average only watches; the others change what is learned.
    assert ("pretrained_model/model.safetensors" in changed) == (more != ("--ema.enable=true",))


def test_two_seeds_differ(
    train: Callable[..., Path], states: Callable[[Path], dict[str, bytes]], tmp_path: Path
) -> None:
    """Otherwise the equality above would say nothing."""
    first = train(tmp_path / "a", "--steps=3")
    second = train(tmp_path / "b", "--steps=3", "--seed=1001")
    name = "pretrained_model/model.safetensors"
    assert states(first / "checkpoints/last")[name] != states(second / "checkpoints/last")[name]
