"""Who reads what: coverage, uniformity and skipping ahead, with whole numbers only."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.datasets.stream.plan import Consumer, EpisodePool, batches_of, consumed_by_each

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def pool_of(lengths, size, seed=0, *, shuffle=True, episodes=None) -> EpisodePool:
    lengths = np.array(lengths)
    starts = np.cumsum(lengths) - lengths
    chosen = range(len(lengths)) if episodes is None else episodes
    return EpisodePool(chosen, starts, lengths, size, np.random.default_rng(seed) if shuffle else None)


def drain(pool: EpisodePool) -> list[tuple[int, int]]:
    drawn = []
    while (frame := pool.draw()) is not None:
        drawn.append(frame)
    return drawn


@given(LENGTHS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 20), st.integers(0, 5), st.booleans())
def test_every_frame_once_over_all_consumers(lengths, world_size, workers, size, epoch, shuffle):
    seen = []
    for rank in range(world_size):
        for worker in range(workers):
            consumer = Consumer(rank, world_size, worker, workers)
            share = consumer.share(np.arange(len(lengths)), 3, epoch, shuffle=shuffle)
            seen += [position for _, position in drain(pool_of(lengths, size, episodes=share.tolist()))]
    assert sorted(seen) == list(range(sum(lengths)))


@given(LENGTHS, st.integers(1, 5))
def test_never_more_episodes_than_the_pool_holds_and_a_new_one_only_for_an_exhausted_one(lengths, size):
    pool = pool_of(lengths, size)
    left = dict(enumerate(lengths))
    expected = min(size, len(lengths))
    while (frame := pool.draw()) is not None:
        left[frame[0]] -= 1
        assert len(pool.resident) == expected
        alive = [episode for episode in pool.resident if left[episode]]
        waiting = pool.upcoming(len(lengths))
        assert frame[0] in pool.resident
        if not left[frame[0]] and not waiting:
            expected -= 1
        assert len(alive) + len(waiting) == sum(1 for count in left.values() if count)


def test_order_is_ascending_without_shuffling():
    assert [position for _, position in drain(pool_of([3, 1, 4], 2, shuffle=False))] == list(range(8))


def test_a_pool_with_room_for_all_draws_every_permutation_equally_often():
    orders = Counter(tuple(position for _, position in drain(pool_of([1, 3], 9, seed))) for seed in range(4800))
    assert len(orders) == 24
    expected = 4800 / 24
    chi_square = sum((count - expected) ** 2 / expected for count in orders.values())
    # 23 degrees of freedom: exceeded with probability 1e-6 (scipy.stats.chi2.isf(1e-6, 23)).
    assert chi_square < 68.2


def test_a_long_episode_is_drawn_in_proportion_to_its_frames():
    firsts = Counter(pool_of([1, 9], 2, seed).draw()[0] for seed in range(2000))
    # Binomial(2000, 0.9): five standard deviations are 67.
    assert abs(firsts[1] - 1800) < 67


def test_consumers_and_epochs_have_streams_of_their_own():
    def stream(rank, worker, epoch, seed=7):
        return tuple(Consumer(rank, 2, worker, 2).generator(seed, epoch).integers(1000, size=8))

    streams = {(r, w, e): stream(r, w, e) for r in range(2) for w in range(2) for e in range(2)}
    assert len(set(streams.values())) == 8
    assert stream(1, 0, 1) == streams[1, 0, 1]
    # numpy's own generator of that seed sequence, so that every computer draws the same.
    assert streams[1, 0, 1] == tuple(np.random.default_rng(np.random.SeedSequence([7, 1, 1, 0])).integers(1000, size=8))


@pytest.mark.parametrize(
    ("frames", "drop_last", "batches"), [(0, False, 0), (8, False, 2), (9, False, 3), (9, True, 2)]
)
def test_batches_of_a_worker(frames, drop_last, batches):
    assert batches_of(frames, 4, drop_last=drop_last) == batches


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any), st.integers(0, 29))
def test_batches_are_taken_in_turn_from_those_that_have_some(batches, consumed):
    turns = sorted((turn, worker) for worker, number in enumerate(batches) for turn in range(number))
    consumed %= len(turns)
    done, following = consumed_by_each(batches, consumed)
    taken = Counter(worker for _, worker in turns[:consumed])
    assert done == [taken[worker] for worker in range(len(batches))]
    assert following == turns[consumed][1]
