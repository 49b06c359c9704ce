"""Who reads which episodes and in which order: whole numbers only, the same on every computer.

A consumer is one worker of one process. Its episodes and its order follow from (seed, epoch, rank, worker), so that it
needs to ask nobody and can skip ahead without reading anything.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Consumer:
    """One of those who share an epoch.

    Attributes:
        rank: process.
        world_size: processes.
        worker: worker of the process.
        num_workers: workers per process, at least 1.
    """

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    num_workers: int = 1

    def share(self, episodes: NDArray[np.int64], seed: int, epoch: int, *, shuffle: bool) -> NDArray[np.int64]:
        """The episodes of this consumer in an epoch, in order; together the consumers have each one once.

        Args:
            episodes: all of them, ascending.
            seed: of the orders.
            epoch: which order.
            shuffle: whether to deal them in another order than their own.
        """
        dealt = np.random.default_rng([seed, epoch]).permutation(episodes) if shuffle else episodes
        return dealt[self.rank * self.num_workers + self.worker :: self.world_size * self.num_workers]

    def generator(self, seed: int, epoch: int) -> np.random.Generator:
        """Random numbers of this consumer in an epoch."""
        return np.random.default_rng([seed, epoch, self.rank, self.worker])


class EpisodePool:
    """Draws frames from a few whole episodes at a time.

    Every draw takes one of all frames that are left in the pool, each as likely as any other. When an episode is
    exhausted the next one takes its place, at the beginning of the next draw.

    Args:
        episodes: in the order they are admitted.
        starts: dataset position of the first frame of each episode of the dataset.
        lengths: frames to draw of each episode of the dataset.
        size: most episodes in the pool.
        generator: of the draws; frames come in order if None.
    """

    def __init__(
        self,
        episodes: Sequence[int],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        size: int,
        generator: np.random.Generator | None,
    ) -> None:
        self._waiting = deque(episodes)
        self._starts = starts
        self._lengths = lengths
        self._size = size
        self._generator = generator
        self._frames: list[tuple[int, int]] = []
        self._left: dict[int, int] = {}
        self._fill()

    @property
    def resident(self) -> list[int]:
        """Episodes in the pool, the one that was exhausted by the last draw included."""
        return list(self._left)

    def upcoming(self, count: int) -> list[int]:
        """The next episodes to be admitted."""
        return [self._waiting[i] for i in range(min(count, len(self._waiting)))]

    def draw(self) -> tuple[int, int] | None:
        """The next frame as episode and dataset position; None when all are drawn."""
        self._fill()
        if not self._frames:
            return None
        if self._generator is None:
            drawn = self._frames.pop(0)
        else:
            place = int(self._generator.integers(len(self._frames)))
            drawn, self._frames[place] = self._frames[place], self._frames[-1]
            self._frames.pop()
        self._left[drawn[0]] -= 1
        return drawn

    def _fill(self) -> None:
        for episode in [episode for episode, left in self._left.items() if not left]:
            del self._left[episode]
        while self._waiting and len(self._left) < self._size:
            episode = self._waiting.popleft()
            start, length = int(self._starts[episode]), int(self._lengths[episode])
            self._left[episode] = length
            self._frames.extend((episode, position) for position in range(start, start + length))


def batches_of(frames: int, batch_size: int, *, drop_last: bool) -> int:
    """Batches that a worker makes of its frames."""
    return frames // batch_size if drop_last else -(-frames // batch_size)


def consumed_by_each(batches: Sequence[int], consumed: int) -> tuple[list[int], int]:
    """How many batches each worker gave, of those a DataLoader has handed out, and whose turn it is.

    It takes one of each worker in turn, and passes over those that have none left.

    Args:
        batches: of each worker in the whole epoch.
        consumed: handed out; less than there are in all.
    """
    low, high = 0, max(batches)
    while low < high:
        rounds = (low + high + 1) // 2
        low, high = (rounds, high) if sum(min(n, rounds) for n in batches) <= consumed else (low, rounds - 1)
    done = [min(n, low) for n in batches]
    waiting = [worker for worker, number in enumerate(batches) if number > low]
    rest = consumed - sum(done)
    for worker in waiting[:rest]:
        done[worker] += 1
    return done, waiting[rest]
