"""Orders of frames: golden permutations, resuming, dealing out, mixtures."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.datasets.dataset.samplers import (
    DistributedBatchSampler,
    EpisodeAwareSampler,
    MixtureSampler,
    ResumableSampler,
    resume_state,
)

STARTS, STOPS = [0, 5, 12], [5, 12, 16]


@pytest.mark.parametrize(
    ("seed", "epoch", "expected"),
    [
        (1000, 0, [0, 11, 7, 9, 5, 1, 15, 12, 13, 10, 2, 4, 3, 14, 8, 6]),
        (1000, 1, [14, 13, 4, 8, 3, 5, 15, 11, 0, 12, 2, 6, 9, 1, 10, 7]),
        (0, 0, [12, 9, 15, 7, 8, 4, 10, 13, 2, 14, 5, 11, 0, 1, 6, 3]),
    ],
)
def test_shuffled_orders_are_the_peers(seed: int, epoch: int, expected: list[int]) -> None:
    """Goldens of the fact sheet, section E.1."""
    sampler = EpisodeAwareSampler(STARTS, STOPS, shuffle=True, seed=seed)
    sampler.set_epoch(epoch)
    assert list(sampler) == expected


def test_every_iteration_is_the_next_epoch() -> None:
    sampler = EpisodeAwareSampler(STARTS, STOPS, shuffle=True, seed=3)
    first, second = list(sampler), list(sampler)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(16))
    sampler.set_epoch(0)
    assert list(sampler) == first
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(sampler)
    assert torch.equal(torch.get_rng_state(), before)


def test_frames_are_dropped_at_the_ends_of_chosen_episodes(caplog: pytest.LogCaptureFixture) -> None:
    sampler = EpisodeAwareSampler(STARTS, STOPS, [2, 1], drop_n_first_frames=1, drop_n_last_frames=2)
    assert list(sampler) == [6, 7, 8, 9, 13]
    assert len(sampler) == 5
    relative = {index: index - 5 for index in range(5, 16)}
    sampler = EpisodeAwareSampler(STARTS, STOPS, [1, 2], drop_n_last_frames=4, absolute_to_relative_idx=relative)
    assert list(sampler) == [0, 1, 2]
    assert "episode 2 has 4 frames" in caplog.text
    with pytest.raises(DatasetError, match="no frame is left"):
        EpisodeAwareSampler(STARTS, STOPS, drop_n_first_frames=7)
    with pytest.raises(DatasetError, match="frames to drop"):
        EpisodeAwareSampler(STARTS, STOPS, drop_n_first_frames=-1)


@pytest.mark.parametrize(
    ("step", "frames", "batch", "world", "expected"),
    [(5, 16, 4, 1, (1, 4)), (3, 17, 4, 2, (1, 0)), (0, 9, 2, 1, (0, 0))],
)
def test_state_after_steps(step: int, frames: int, batch: int, world: int, expected: tuple[int, int]) -> None:
    """Goldens of the fact sheet, section E.1."""
    assert tuple(resume_state(step, frames, batch, world).values()) == expected


def fresh(kind: str) -> ResumableSampler:
    if kind == "mixture":
        return MixtureSampler([7, 9], [1, 3], num_samples=13, seed=4)
    return EpisodeAwareSampler(STARTS, STOPS, shuffle=True, seed=4)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["episodes", "mixture"]),
    batch=st.integers(1, 6),
    world=st.integers(1, 3),
    step=st.integers(0, 12),
)
def test_a_resumed_run_draws_what_the_uninterrupted_one_drew(kind: str, batch: int, world: int, step: int) -> None:
    for rank in range(world):
        whole = DistributedBatchSampler(fresh(kind), batch, rank, world)
        batches = [drawn for _ in range(14) for drawn in whole]
        resumed = fresh(kind)
        resumed.load_state_dict(resume_state(step, len(resumed), batch, world))
        again = DistributedBatchSampler(resumed, batch, rank, world)
        assert [drawn for _ in range(2) for drawn in again] == batches[step : step + len(batches)][
            : 2 * len(again) - step % len(again)
        ]


@settings(max_examples=40, deadline=None)
@given(batch=st.integers(1, 20), world=st.integers(1, 5))
def test_processes_draw_every_frame_and_equally_many_batches(batch: int, world: int) -> None:
    drawn = [list(DistributedBatchSampler(fresh("episodes"), batch, rank, world)) for rank in range(world)]
    assert {len(batches) for batches in drawn} == {-(-16 // (batch * world))}
    assert {len(indices) for batches in drawn for indices in batches} == {batch}
    flat = [index for step in zip(*drawn, strict=True) for indices in step for index in indices]
    assert flat[:16] == list(fresh("episodes"))


def test_a_mixture_draws_by_weight_and_nothing_twice_before_all_once() -> None:
    sampler = MixtureSampler([100, 400, 50], [0.5, 0.5, 0], num_samples=2000, seed=1)
    order = np.fromiter(sampler, np.int64)
    small, large = order[order < 100], order[(order >= 100) & (order < 500)]
    assert len(small) + len(large) == 2000
    assert abs(len(small) - 1000) < 5 * np.sqrt(500)
    assert set(np.unique(small, return_counts=True)[1]) <= {len(small) // 100, len(small) // 100 + 1}
    assert list(sampler) != order.tolist()
    with pytest.raises(DatasetError, match="mixture weights"):
        MixtureSampler([10, 0], [1, 1])
    with pytest.raises(DatasetError, match="mixture weights"):
        MixtureSampler([10, 5], [-1, 1])


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(DatasetError, match="sampler state"):
        fresh("episodes").load_state_dict({"epoch": 0, "start_index": 17})
