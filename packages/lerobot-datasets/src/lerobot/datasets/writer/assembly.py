"""A finished episode as files of the dataset: staged, read back and ready to be committed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.checks.structure import check_episode
from lerobot.datasets.format import layout
from lerobot.datasets.format.columns import data_schema, data_table
from lerobot.datasets.format.episodes import each_episode_stats, load_episodes
from lerobot.datasets.format.features import INDEX_DTYPES, is_depth
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats, flatten_stats, load_stats
from lerobot.datasets.format.tasks import Tasks, load_tasks
from lerobot.datasets.statistics.dataset import DatasetStatistics, column_statistics
from lerobot.datasets.storage.rows import DataFile
from lerobot.datasets.video.encode import available_encoders, video_info
from lerobot.datasets.writer.commit import Commit
from lerobot.datasets.writer.compaction import FilePosition
from lerobot.datasets.writer.episode import FinishedEpisode
from lerobot.datasets.writer.episode_rows import one_row, table_schema
from lerobot.datasets.writer.options import WritingOptions


@dataclass(frozen=True, slots=True)
class SavedState:
    """What is saved, as a whole; each commit makes another one.

    Attributes:
        info: declarations and totals.
        tasks: the task table.
        stats: statistics by feature.
        statistics: what `stats` is made of, to add the next episode to.
    """

    info: Info
    tasks: Tasks
    stats: Stats
    statistics: DatasetStatistics


def load_state(root: Path, info: Info) -> SavedState:
    """What a dataset's folder holds now.

    Raises:
        DatasetError: its metadata is damaged.
    """
    statistics, tasks = DatasetStatistics(each_episode_stats(root, info)), load_tasks(root, info)
    # New rows are numbered from the totals, so these must be those of the files, whatever info.json says.
    counted = {"total_frames": int(load_episodes(root, info).column("length").sum()), "total_tasks": len(tasks)}
    return SavedState(info.model_copy(update=counted), tasks, load_stats(root) or {}, statistics)


class Assembly:
    """Turns episodes into files.

    Args:
        root: the dataset's folder.
        info: its declarations.
        options: how images are stored.
    """

    def __init__(self, root: Path, info: Info, options: WritingOptions) -> None:
        self._root = root
        self._options = options
        self._schema = data_schema(info.features)
        self._row_schema: pa.Schema | None = None

    def stage(
        self, episode: FinishedEpisode, saved: SavedState, places: dict[str, FilePosition], staging: Path
    ) -> tuple[Commit, SavedState]:
        """Write an episode's files into the staging folder and check them.

        Args:
            episode: what was recorded.
            saved: the dataset that it will be part of.
            places: position of its file under `"data"`, `"meta"` and each video feature.
            staging: a folder on the same disk.

        Returns:
            What publishes the files, and what is saved then.

        Raises:
            DatasetError: a file does not read back as what was recorded.
            OSError: the disk is full.
        """
        tasks = Tasks(saved.tasks)
        columns = {**episode.columns, **_index_columns(episode, saved.info, tasks)}
        arrays = {key: values for key, values in columns.items() if isinstance(values, np.ndarray)}
        stats = episode.stats | {key: column_statistics(arrays[key]) for key in INDEX_DTYPES}
        stats = {key: stats[key] for key in saved.info.features if key in stats}
        info = self._next_info(episode, saved.info, len(tasks))
        commit = Commit(self._root)
        if len(tasks) > len(saved.tasks):
            pq.write_table(tasks.to_arrow(), staging / "tasks.parquet")
            commit.replaced.append((staging / "tasks.parquet", self._root / layout.TASKS_PATH))
        for key, path in episode.videos.items():
            commit.files.append((path, self._root / info.video_file(key, *places[key])))
        if self._row_schema is None:
            self._row_schema = table_schema(self._root, saved.info, stats)
        row = one_row(_episode_row(episode, saved.info, places) | flatten_stats(stats), self._row_schema)
        pq.write_table(row, staging / "episode.parquet")
        meta_path = self._root / layout.format_path(layout.EPISODES_PATH, *places["meta"])
        commit.files.append((staging / "episode.parquet", meta_path))
        data = staging / "data.parquet"
        pq.write_table(data_table(self._schema, columns), data, row_group_size=episode.length)
        commit.files.append((data, self._root / info.data_file(*places["data"])))
        _read_back(episode, saved.info, info, tasks, data)
        statistics = saved.statistics.copy()
        statistics.add_episode(stats, arrays)
        return commit, SavedState(info, tasks, statistics.summary(), statistics)

    def _next_info(self, episode: FinishedEpisode, before: Info, total_tasks: int) -> Info:
        """The declarations and totals with this episode; the first one also tells what its videos are."""
        info = before.model_copy(deep=True)
        info.total_episodes += 1
        info.total_frames += episode.length
        info.total_tasks = total_tasks
        info.splits = {"train": f"0:{info.total_episodes}"}
        for key, unit in episode.depth_units.items():
            info.features[key]["info"] = {**(info.features[key].get("info") or {}), "depth_unit": unit}
        for key, path in episode.videos.items():
            feature = info.features[key]
            if "video.codec" not in (known := feature.get("info") or {}):
                config = self._options.depth_encoder if is_depth(feature) else self._options.rgb_encoder
                feature["info"] = {**known, **video_info(path, config.resolved(available_encoders()))}
        return info


def _index_columns(episode: FinishedEpisode, before: Info, tasks: Tasks) -> dict[str, NDArray[Any]]:
    """The five columns that every dataset has; new tasks are added to the table in the order of their frames."""
    frames = np.arange(episode.length, dtype=np.int64)
    return {
        "timestamp": (frames / before.fps).astype(np.float32),
        "frame_index": frames,
        "episode_index": np.full(episode.length, before.total_episodes, np.int64),
        "index": frames + before.total_frames,
        "task_index": np.array([tasks.add(task) for task in episode.tasks], np.int64),
    }


def _episode_row(episode: FinishedEpisode, before: Info, places: dict[str, FilePosition]) -> dict[str, Any]:
    row = {
        "episode_index": before.total_episodes,
        "tasks": list(dict.fromkeys(episode.tasks)),
        "length": episode.length,
        "dataset_from_index": before.total_frames,
        "dataset_to_index": before.total_frames + episode.length,
    }
    prefixes = {"data": "data", "meta": "meta/episodes", **{key: f"videos/{key}" for key in episode.videos}}
    for key, prefix in prefixes.items():
        row[f"{prefix}/chunk_index"], row[f"{prefix}/file_index"] = places[key]
    for key in episode.videos:
        row[f"videos/{key}/from_timestamp"] = 0.0
        row[f"videos/{key}/to_timestamp"] = episode.length / before.fps
    return row


def _read_back(episode: FinishedEpisode, before: Info, info: Info, tasks: Tasks, data: Path) -> None:
    """Nothing becomes part of the dataset that its readers would refuse."""
    lengths = np.array([episode.length], np.int64)
    file = DataFile(data, before.total_frames, before.total_episodes, lengths)
    if findings := check_episode(info, tasks, file, episode.videos):
        raise DatasetError(
            f"episode {before.total_episodes} was not saved: {findings[0].text}",
            expected="one row and one image of every camera per frame, in order",
            hint="drop it with clear_episode_buffer() and record it again; saved episodes are unharmed",
        )
