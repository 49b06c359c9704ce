"""Episodes on the disk: a dataset that every episode is added to, and any dataset with rewards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.dataset_features import DatasetFeatures
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.writer.recorder import DatasetRecorder
from lerobot.rl.transition import Episode, Frame, Transition

REWARD, DONE, TRUNCATED, SUCCESS = "next.reward", "next.done", "next.truncated", "next.success"
INTERVENTION = "intervention"
PEER_INTERVENTION = "complementary_info.is_intervention"
EXTRA = "complementary_info."
EPISODE_ID = "episode_id"
LAST = "is_last_observation"
"""Of the row that has only what was seen after the last action; its action is that one again."""

_COLUMNS: DatasetFeatures = {
    REWARD: {"dtype": "float32", "shape": (1,), "names": None},
    **{key: {"dtype": "bool", "shape": (1,), "names": None} for key in (DONE, TRUNCATED, SUCCESS, INTERVENTION, LAST)},
    EPISODE_ID: {"dtype": "string", "shape": (1,), "names": None},
}


class ReplayDataset:
    """A dataset that grows by whole episodes; each is durable when `add` returns, and read again to the bit.

    A context manager, closed at its end.

    Args:
        root: its folder; made anew if there is none.
        fps: frames per second.
        features: declarations of observations and `action`, as a dataset stores them.
        extra: names of further numbers of each row.
        ids: of the episodes that are there, if they are known already; None to read them.

    Raises:
        DatasetError: the folder holds something else, or cannot be written.
        FeatureMismatchError: the dataset there has other features.
    """

    def __init__(
        self,
        root: Path,
        fps: float,
        features: DatasetFeatures,
        extra: Sequence[str] = (),
        *,
        ids: Iterable[str] | None = None,
    ) -> None:
        self.root = root
        self._extra = tuple(extra)
        # Single pictures, for what is decoded from a video is not what was seen.
        kept = {key: {**each, "dtype": "image"} if each["dtype"] == "video" else each for key, each in features.items()}
        self._observed = [key for key in kept if key != "action"]
        number = {"dtype": "float32", "shape": (1,), "names": None}
        declared = {**kept, **_COLUMNS, **{EXTRA + name: number for name in self._extra}}
        if is_begun(root):
            read = ids is None
            known = (
                (each.id for each in read_episodes(LeRobotDataset(root.name, root), pictures=False)) if read else ids
            )
            self.ids = set(known or ())
            self._recorder = DatasetRecorder.resume(root, features=declared)
        else:
            self.ids = set()
            self._recorder = DatasetRecorder.create(root, fps, declared)

    def add(self, episode: Episode) -> bool:
        """Write an episode.

        Returns:
            Whether it was new; one that is there already changes nothing.

        Raises:
            DatasetError: it cannot be written; nothing was.
            FeatureMismatchError: it lacks a value; names it.
        """
        if episode.id in self.ids:
            return False
        try:
            for number, row in enumerate(episode.transitions):
                end = number == len(episode) - 1
                self._recorder.add_frame(self._row(row, episode, end=end), episode.task)
            closing = Transition(episode.last, episode.transitions[-1].action, 0.0)
            self._recorder.add_frame(self._row(closing, episode, last=True), episode.task)
            self._recorder.save_episode()
        except BaseException:
            self._recorder.clear_episode_buffer()
            raise
        self.ids.add(episode.id)
        return True

    def close(self) -> None:
        """End the recording; small files are joined."""
        self._recorder.finalize()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _row(self, row: Transition, episode: Episode, *, end: bool = False, last: bool = False) -> dict[str, Any]:
        return {
            **{key: row.observation[key] for key in self._observed},
            "action": row.action,
            REWARD: np.float32(row.reward),
            DONE: end,
            TRUNCATED: end and not row.terminal,
            SUCCESS: row.success,
            INTERVENTION: row.intervention,
            LAST: last,
            EPISODE_ID: episode.id,
            **{EXTRA + name: np.float32(row.extra.get(name, 0.0)) for name in self._extra},
        }


def is_begun(root: Path) -> bool:
    """Whether there is a dataset in a folder."""
    return (root / "meta").exists()


def read_episodes(
    dataset: LeRobotDataset, names: Mapping[str, str] | None = None, *, pictures: bool = True
) -> Iterator[Episode]:
    """Read a dataset with rewards: one of `ReplayDataset`, of `lerobot record`, or of huggingface/lerobot.

    Where an episode does not end terminally and what was seen after its last action is not there, that action is left
    out: its last picture becomes what was seen last.

    Args:
        dataset: the dataset.
        names: what its columns are called by the policy; others keep their name.
        pictures: whether to read cameras.

    Raises:
        FeatureMismatchError: it has no rewards.
        DatasetError: it is damaged.
    """
    if REWARD not in dataset.features:
        raise FeatureMismatchError(
            f"{dataset.repo_id} has no {REWARD!r}, and rewards are what is learned from",
            keys=[REWARD],
            expected=f"a column {REWARD}, the reward for the action of each frame",
            hint="Add it: lerobot edit-dataset --operation.type=add_feature --operation.name=next.reward "
            "--operation.values=REWARDS.npy",
        )
    renamed = dict(names or {})
    starts, stops = dataset.episode_bounds
    for number, start, stop in zip(dataset.episode_indices.tolist(), starts.tolist(), stops.tolist(), strict=True):
        rows = dataset.read_arrays(range(start, stop), pictures=pictures)
        episode = _episode([_renamed(row, renamed) for row in rows], f"{dataset.repo_id}/{number}")
        if episode is not None:
            yield episode


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in row.items()}


def _episode(rows: list[dict[str, Any]], name: str) -> Episode | None:
    """Make an episode of its rows; None for one that has no transition."""
    if _flag(rows[-1], LAST):
        *rows, closing = rows
        last = _frame(closing)
    else:
        last = _frame(rows[-1])
        if not _is_terminal(rows[-1]):
            rows.pop()
    if not rows:
        return None
    transitions = [
        Transition(
            _frame(row),
            np.atleast_1d(np.asarray(row["action"], np.float32)),
            float(np.asarray(row[REWARD]).reshape(())),
            _is_terminal(row),
            _flag(row, SUCCESS),
            _flag(row, INTERVENTION) or _flag(row, PEER_INTERVENTION),
            {
                key.removeprefix(EXTRA): float(np.asarray(value).reshape(()))
                for key, value in row.items()
                if key.startswith(EXTRA) and key != PEER_INTERVENTION and np.size(value) == 1
            },
        )
        for row in rows
    ]
    return Episode(str(rows[0].get(EPISODE_ID, name)), transitions, last, str(rows[0].get("task", "")))


def _frame(row: Mapping[str, Any]) -> Frame:
    # Columns of one number are read without their axis.
    return {key: np.atleast_1d(value) for key, value in row.items() if key.startswith("observation.")}


def _flag(row: Mapping[str, Any], key: str) -> bool:
    return bool(np.asarray(row.get(key, False)).reshape(()))


def _is_terminal(row: Mapping[str, Any]) -> bool:
    """Whether nothing of worth follows: the end, unless it is known to be the end of the time alone."""
    if not _flag(row, DONE):
        return False
    if TRUNCATED in row:
        return not _flag(row, TRUNCATED)
    return _flag(row, SUCCESS) if SUCCESS in row else True
