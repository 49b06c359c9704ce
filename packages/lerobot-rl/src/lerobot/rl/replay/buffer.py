"""Episodes in memory, from which batches are drawn."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.remote.wire.pictures import PictureEncoder, decoded
from lerobot.rl.transition import Episode, TransitionBatch, joined


class Replay(Protocol):
    """Where batches come from."""

    def __len__(self) -> int:
        """Transitions it draws from."""
        ...

    def sample(self, size: int, steps: int = 1) -> TransitionBatch:
        """Draw windows.

        Args:
            size: of the batch.
            steps: transitions per window.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Stored:
    """An episode as it is kept: numbers stacked, pictures compressed; frames are one more than transitions."""

    id: str
    task: str
    numbers: Mapping[str, NDArray[Any]]
    pictures: Mapping[str, Sequence[Any]]
    action: NDArray[np.float32]
    reward: NDArray[np.float32]
    terminal: NDArray[np.bool_]
    intervention: NDArray[np.bool_]
    extra: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.action)

    def seen(self, key: str, frame: int) -> NDArray[Any]:
        """One entry of a frame."""
        if key in self.numbers:
            found: NDArray[Any] = self.numbers[key][frame]
            return found
        picture = self.pictures[key][frame]
        return picture if isinstance(picture, np.ndarray) else decoded(picture)


class ReplayBuffer:
    """The newest episodes; whole ones go when there are too many transitions.

    Windows begin at any transition, each as likely as another, and never leave their episode. What is drawn depends on
    nothing but the seed and the episodes that were added, in their order.

    Args:
        capacity: transitions that are kept; the newest episode always is.
        seed: of the draws.
        pictures: how pictures are kept in memory; raw takes most of it and no time.
    """

    def __init__(self, capacity: int, *, seed: int = 0, pictures: PictureEncoder | None = None) -> None:
        if capacity < 1:
            raise LeRobotError(f"a replay buffer has a capacity of {capacity}", expected="at least 1 transition")
        self.capacity = capacity
        self._encode = pictures or PictureEncoder("raw")
        self._episodes: deque[_Stored] = deque()
        self._ids: set[str] = set()
        self._ends: NDArray[np.int64] = np.zeros(0, np.int64)
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def episodes(self) -> int:
        """Episodes that are kept."""
        return len(self._episodes)

    def add(self, episode: Episode) -> bool:
        """Add an episode.

        Returns:
            Whether it is new; one whose id was added before, and was dropped meanwhile or not, changes nothing.

        Raises:
            FeatureMismatchError: it has other observations or actions than those before; names them.
        """
        if episode.id in self._ids:
            return False
        stored = self._stored(episode)
        if self._episodes:
            _check_alike(self._episodes[-1], stored)
        self._ids.add(episode.id)
        self._episodes.append(stored)
        while len(self._episodes) > 1 and sum(map(len, self._episodes)) > self.capacity:
            self._episodes.popleft()
        self._ends = np.cumsum([len(each) for each in self._episodes])
        return True

    def sample(self, size: int, steps: int = 1) -> TransitionBatch:
        """See `Replay.sample`.

        Raises:
            LeRobotError: there is nothing to draw from.
        """
        if not len(self):
            raise LeRobotError("there is no experience to learn from yet", hint="Add an episode first.")
        places = self._random.integers(0, len(self), size)
        numbers = np.searchsorted(self._ends, places, side="right")
        windows = []
        for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
            episode = self._episodes[number]
            windows.append((episode, place - int(self._ends[number]) + len(episode)))
        return _batch(windows, steps)

    def state_dict(self) -> dict[str, Any]:
        """State of the draws, as plain data; the episodes themselves are a dataset's."""
        return dict(self._random.bit_generator.state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on drawing from a state."""
        self._random.bit_generator.state = dict(state)

    def _stored(self, episode: Episode) -> _Stored:
        rows = episode.transitions
        frames = [*(row.observation for row in rows), episode.last]
        numbers: dict[str, NDArray[Any]] = {}
        pictures: dict[str, Sequence[Any]] = {}
        for key, value in frames[0].items():
            if value.ndim == 3:
                pictures[key] = [self._encode(frame[key]) for frame in frames]
            else:
                numbers[key] = np.stack([np.asarray(frame[key], np.float32) for frame in frames])
        names = {name: None for row in rows for name in row.extra}
        return _Stored(
            episode.id,
            episode.task,
            numbers,
            pictures,
            np.stack([np.asarray(row.action, np.float32) for row in rows]),
            np.array([row.reward for row in rows], np.float32),
            np.array([row.terminal for row in rows], bool),
            np.array([row.intervention for row in rows], bool),
            {name: np.array([row.extra.get(name, 0.0) for row in rows], np.float32) for name in names},
        )


class ReplayMixture:
    """What was experienced and what was demonstrated, kept apart and mixed in every batch.

    Args:
        online: experience of the policy that learns.
        offline: demonstrations; None for none.
        online_ratio: part of a batch that is experience, at least one window; all of it as long as the other is empty.

    Source:
        Ball et al. 2023, arXiv:2302.02948 (RLPD).
    """

    def __init__(self, online: Replay, offline: Replay | None = None, online_ratio: float = 0.5) -> None:
        self.online = online
        self.offline = offline
        self.online_ratio = online_ratio

    def __len__(self) -> int:
        return len(self.online) + (0 if self.offline is None else len(self.offline))

    def sample(self, size: int, steps: int = 1) -> TransitionBatch:
        """See `Replay.sample`; experience comes first."""
        if self.offline is None or not len(self.offline):
            return self.online.sample(size, steps)
        if not len(self.online):
            return self.offline.sample(size, steps)
        most = size if self.online_ratio >= 1 else size - 1
        online = min(max(1, int(size * self.online_ratio)), max(1, most))
        parts = [self.online.sample(online, steps)]
        if online < size:
            parts.append(self.offline.sample(size - online, steps))
        return joined(parts)


def _check_alike(before: _Stored, new: _Stored) -> None:
    def shapes(stored: _Stored) -> dict[str, tuple[int, ...]]:
        keys = (*stored.numbers, *stored.pictures)
        return {**{key: stored.seen(key, 0).shape for key in keys}, "action": stored.action.shape[1:]}

    known, found = shapes(before), shapes(new)
    if known != found:
        odd = sorted(key for key in known.keys() | found.keys() if known.get(key) != found.get(key))
        raise FeatureMismatchError(
            f"episode {new.id} has {', '.join(f'{key} {found.get(key)}' for key in odd)}",
            keys=odd,
            expected=", ".join(f"{key} {known.get(key)}" for key in odd),
        )


def _batch(windows: Sequence[tuple[_Stored, int]], steps: int) -> TransitionBatch:
    """Cut windows out of their episodes."""
    stops = [min(start + steps, len(episode)) for episode, start in windows]
    rows = np.array([range(start, start + steps) for _, start in windows])
    valid = rows < np.array(stops)[:, None]
    rows = np.minimum(rows, np.array(stops)[:, None] - 1)

    def column(name: str) -> NDArray[Any]:
        return np.stack([getattr(episode, name)[row] for (episode, _), row in zip(windows, rows, strict=True)])

    def extra(name: str) -> NDArray[Any]:
        empty = np.zeros(steps, np.float32)
        return np.stack(
            [e.extra[name][row] if name in e.extra else empty for (e, _), row in zip(windows, rows, strict=True)]
        )

    def frames(places: Sequence[tuple[_Stored, int]]) -> dict[str, torch.Tensor]:
        keys = (*windows[0][0].numbers, *windows[0][0].pictures)
        return {
            key: torch.from_numpy(np.stack([episode.seen(key, frame) for episode, frame in places])) for key in keys
        }

    names = {name: None for episode, _ in windows for name in episode.extra}
    return TransitionBatch(
        frames(windows),
        torch.from_numpy(column("action")),
        torch.from_numpy(column("reward") * valid),
        torch.from_numpy(column("terminal") & valid),
        torch.from_numpy(valid),
        frames([(episode, stop) for (episode, _), stop in zip(windows, stops, strict=True)]),
        torch.from_numpy(column("intervention") & valid),
        {name: torch.from_numpy(extra(name) * valid) for name in names},
        [episode.task for episode, _ in windows],
    )
