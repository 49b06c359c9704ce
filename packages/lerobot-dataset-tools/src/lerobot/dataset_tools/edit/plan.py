"""What an edit makes: which episodes of which datasets, in which form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lerobot.dataset_tools.edit.added import AddedColumn
from lerobot.datasets.format.features import NUMERIC_DTYPES
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.format.tasks import Tasks
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.video.encoder_config import RGBEncoderConfig

_NUMBERED = ("index", "episode_index", "task_index")
"""Features whose values an edit changes."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Episodes of one dataset.

    Attributes:
        source: the dataset.
        episodes: their numbers, ascending.
        tasks: new `task_index` of each of their frames.
        trims: frames to leave out at the begin and at the end of each, `(episodes, 2)`; none if None.
    """

    source: EditSource
    episodes: NDArray[np.int64]
    tasks: NDArray[np.int64]
    trims: NDArray[np.int64] | None = None

    @property
    def kept(self) -> "KeptFrames":
        """Which frames stay."""
        return kept_frames(self.source, self.episodes, self.trims)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Frames of each episode in the result."""
        kept = self.kept
        return (kept.ends - kept.begins)[self.episodes]


@dataclass(frozen=True, slots=True)
class KeptFrames:
    """Which frames of each episode of a source stay; of one that is left out none does.

    Attributes:
        begins: per episode the first frame that stays, from 0.
        ends: per episode the frame after the last one that stays.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def of_rows(self, episodes: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows stay, by the number of their episode and their frame in it."""
        stays: NDArray[np.bool_] = (frames >= self.begins[episodes]) & (frames < self.ends[episodes])
        return stays


@dataclass(frozen=True, slots=True)
class EditPlan:
    """A dataset to be written.

    Attributes:
        selections: its episodes, in order.
        info: its declarations; totals are filled in.
        tasks: its instructions.
        added: columns that no source has, or has with other values.
        renamed: name in the sources of features that have another one in the result.
        encoders: cameras whose images are encoded anew, with the settings.
        encoder_threads: threads of each encoder.
        join_data: join small data files up to the format's size, instead of keeping one per source file.
        join_videos: the same for videos.
        in_place: the result replaces the source, so that unchanged files may be shared with it.
        fresh_statistics: compute the numeric statistics of each episode anew, instead of keeping those of the source.
        source_statistics: whether the numbers of the result are those of its one source, so that their statistics are.
        decoded_statistics: cameras whose statistics are computed from their images.
        final_statistics: statistics of the dataset that are not those of its values.
        only_statistics: features whose statistics change; those of the others are the source's. All if None.
    """

    selections: Sequence[Selection]
    info: Info
    tasks: Tasks
    added: Mapping[str, AddedColumn] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    encoders: Mapping[str, RGBEncoderConfig] = field(default_factory=dict)
    encoder_threads: int = 1
    join_data: bool = False
    join_videos: bool = False
    in_place: bool = False
    fresh_statistics: bool = False
    source_statistics: bool = False
    decoded_statistics: frozenset[str] = frozenset()
    final_statistics: Stats = field(default_factory=dict)
    only_statistics: frozenset[str] | None = None

    def stored(self, key: str) -> str:
        """The name in the sources of a feature of the result."""
        return self.renamed.get(key, key)

    @property
    def changed_numbers(self) -> list[str]:
        """Features whose statistics are computed from the numbers of each episode."""
        numeric = [key for key, feature in self.info.features.items() if feature["dtype"] in NUMERIC_DTYPES]
        changed = numeric if self.fresh_statistics else [key for key in numeric if key in self.added]
        changed += [key for key in _NUMBERED if self.only_statistics is None or key in self.only_statistics]
        return list(dict.fromkeys(changed))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Frames of each episode of the result."""
        return np.concatenate([selection.lengths for selection in self.selections])

    @property
    def starts(self) -> NDArray[np.int64]:
        """Index of the first frame of each episode of the result."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def task_numbers(self) -> NDArray[np.int64]:
        """New `task_index` of every frame of the result."""
        return np.concatenate([selection.tasks for selection in self.selections])


def kept_frames(source: EditSource, episodes: NDArray[np.int64], trims: NDArray[np.int64] | None = None) -> KeptFrames:
    """Which frames of a source stay, see `Selection`."""
    begins, ends = (np.zeros(len(source.episodes), np.int64) for _ in range(2))
    ends[episodes] = source.episodes.column("length")[episodes]
    if trims is not None:
        begins[episodes] += trims[:, 0]
        ends[episodes] -= trims[:, 1]
    return KeptFrames(begins, ends)


def numbered_tasks(
    source: EditSource, episodes: NDArray[np.int64], trims: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The `task_index`, in the source's own numbering, of every frame of some of its episodes that stays."""
    kept = kept_frames(source, episodes, trims)
    stays = [kept.of_rows(file.episodes, file.numbers["frame_index"]) for file in source.files]
    return source.task_numbers()[np.concatenate(stays)]


def select(chosen: Sequence[tuple[EditSource, NDArray[np.int64]]]) -> tuple[list[Selection], Tasks]:
    """Episodes with one task table of the instructions they use, in the order of the sources' tables."""
    tasks = Tasks()
    selections = []
    for source, episodes in chosen:
        old = numbered_tasks(source, episodes)
        table = np.zeros(len(source.tasks), np.int64)
        for number in np.unique(old).tolist():
            table[number] = tasks.add(source.tasks.name(number))
        selections.append(Selection(source, episodes, table[old]))
    return selections, tasks
