"""Records a LeRobotDataset v3.0, one durable episode after another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot.core.durable import replace_text
from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.checks.structure import check_episode
from lerobot.datasets.format import layout
from lerobot.datasets.format.columns import data_schema, data_table
from lerobot.datasets.format.episodes import load_episode_stats, load_episodes
from lerobot.datasets.format.features import INDEX_DTYPES, default_features, is_depth
from lerobot.datasets.format.info import Info, load_info, parse_info
from lerobot.datasets.format.stats_json import Stats, flatten_stats, load_stats, stats_to_json
from lerobot.datasets.format.tasks import Tasks, load_tasks
from lerobot.datasets.statistics.dataset import DatasetStatistics, column_statistics
from lerobot.datasets.storage.rows import DataFile
from lerobot.datasets.video.encode import available_encoders, video_info
from lerobot.datasets.writer.commit import Commit
from lerobot.datasets.writer.compaction import compact
from lerobot.datasets.writer.continuation import check_can_continue
from lerobot.datasets.writer.episode import EpisodeInProgress, FinishedEpisode
from lerobot.datasets.writer.episode_rows import one_row, table_schema
from lerobot.datasets.writer.leftovers import remove_leftovers
from lerobot.datasets.writer.lock import STAGING_FOLDER, WriterLock
from lerobot.datasets.writer.options import WritingOptions


@dataclass(frozen=True, slots=True)
class SavedEpisode:
    """An episode that is on the disk.

    Attributes:
        index: its number.
        length: its rows.
        waited_s: seconds the recording loop waited for encoders; more than 0 means they did not keep up.
    """

    index: int
    length: int
    waited_s: float


class DatasetRecorder:
    """Writes episodes into one dataset folder.

    At every instant the folder is a valid dataset of all saved episodes, whatever happens to this process. Make one
    with `create` or `resume` and close it with `finalize` or `close`, or use it as a context manager.

    Attributes:
        root: the dataset's folder.
        info: declarations and totals of what is saved.
        tasks: the task table of what is saved.
        stats: statistics of what is saved, by feature.
    """

    def __init__(self, root: Path, info: Info, options: WritingOptions, lock: WriterLock) -> None:
        self.root = root
        self.info = info
        self.tasks = load_tasks(root, info)
        self.stats: Stats = {}
        self._options = options
        self._lock: WriterLock | None = lock
        self._schema = data_schema(info.features)
        self._row_schema: pa.Schema | None = None
        self._next = remove_leftovers(root, info, load_episodes(root, info))
        self._statistics = DatasetStatistics(load_episode_stats(root, info))
        self._before_last: tuple[Info, Tasks, Stats, DatasetStatistics] | None = None
        # Encoders start here, so that a codec that does not work is refused before a robot moves.
        self._episode: EpisodeInProgress | None = self._new_episode()

    @classmethod
    def create(
        cls,
        root: Path,
        fps: float,
        features: Mapping[str, Any],
        *,
        robot_type: str | None = None,
        options: WritingOptions | None = None,
        data_files_size_in_mb: int = layout.DEFAULT_DATA_FILES_SIZE_IN_MB,
        video_files_size_in_mb: int = layout.DEFAULT_VIDEO_FILES_SIZE_IN_MB,
    ) -> "DatasetRecorder":
        """Begin a new dataset.

        Args:
            root: folder to create; may exist if it is empty.
            fps: frames per second.
            features: declarations of the user's features; the five default features are added.
            robot_type: name of the robot, for the record.
            options: encoders and queues.
            data_files_size_in_mb: size of data files after `finalize`.
            video_files_size_in_mb: size of video files after `finalize`.

        Raises:
            DatasetError: the folder holds something, cannot be written, or an encoder does not start.
            FeatureMismatchError: a declaration is wrong; names it.
        """
        if taken := sorted(features.keys() & INDEX_DTYPES.keys()):
            raise FeatureMismatchError(
                f"features declare {', '.join(taken)}, which every dataset has by itself", keys=taken
            )
        document = {
            "codebase_version": layout.CODEBASE_VERSION,
            "fps": fps,
            "features": {**features, **default_features()},
            "data_files_size_in_mb": data_files_size_in_mb,
            "video_files_size_in_mb": video_files_size_in_mb,
            "robot_type": robot_type,
        }
        info = parse_info(document, root / layout.INFO_PATH)
        if not info.video_keys:
            info.video_path = None
        if root.exists() and (not root.is_dir() or any(path.name != STAGING_FOLDER for path in root.iterdir())):
            raise DatasetError(
                f"{root} already exists", expected="a new folder", hint="resume it, or choose another --dataset.root"
            )
        lock = WriterLock(root)
        try:
            recorder = cls(root, info, options or WritingOptions(), lock)
        except BaseException:
            lock.release()
            raise
        try:
            replace_text(root / layout.INFO_PATH, info.to_json())
        except OSError as error:
            recorder.close()
            raise _write_error(root, error) from error
        return recorder

    @classmethod
    def resume(
        cls, root: Path, *, features: Mapping[str, Any] | None = None, options: WritingOptions | None = None
    ) -> "DatasetRecorder":
        """Continue an existing dataset; what a killed writer left beyond its last saved episode is removed.

        Args:
            root: the dataset's folder.
            features: what will be recorded, to be checked against the dataset; not checked if None.
            options: encoders and queues.

        Raises:
            DatasetError: there is no v3.0 dataset, somebody else writes it, or it is damaged.
            FeatureMismatchError: `features` differ from the dataset's; names each.
        """
        check_can_continue(load_info(root), root, features)
        lock = WriterLock(root)
        try:
            return cls(root, load_info(root), options or WritingOptions(), lock)
        except BaseException:
            lock.release()
            raise

    @property
    def episode_length(self) -> int:
        """Frames in the episode in progress."""
        return self._episode.length if self._episode else 0

    @property
    def waited_s(self) -> float:
        """Seconds that the episode in progress has waited for its encoders."""
        return self._episode.waited_s if self._episode else 0.0

    def add_frame(self, frame: Mapping[str, Any], task: str | None = None) -> None:
        """Add one frame to the episode in progress; pictures are copied, so buffers may be reused.

        Waits while an encoder is further behind than its queue allows; see `waited_s`.

        Args:
            frame: per feature a numpy array (dtype and shape as declared), number, text, PIL picture or torch tensor;
                may hold the task under `"task"`.
            task: instruction in words, if not in `frame`.

        Raises:
            FeatureMismatchError: the frame does not fit; nothing of it was taken and the episode goes on.
            DatasetError: an encoder failed, so that this episode is lost; saved ones are not.
        """
        self._require_open()
        values = dict(frame)
        in_frame = values.pop("task", None)
        task = in_frame if task is None else task
        if not isinstance(task, str):
            raise FeatureMismatchError(
                f"the frame's task is {task!r}", keys=["task"], expected="the instruction as a text"
            )
        if self._episode is None:
            self._episode = self._new_episode()
        self._episode.add(values, task)

    def label_episode(self, values: Mapping[str, Any]) -> None:
        """Give every frame of the episode in progress the same value of some columns, known only at its end.

        Args:
            values: per column of numbers or texts its value.

        Raises:
            FeatureMismatchError: there is no such column, or the value does not fit it.
            DatasetError: there is no episode.
        """
        self._require_open()
        if self._episode is None:
            raise DatasetError("there is no episode to label", hint="call add_frame() first")
        self._episode.label(values)

    def save_episode(self) -> SavedEpisode:
        """Make the episode in progress part of the dataset; when this returns, it survives a power cut.

        Returns:
            Its number, length and how long the loop waited for encoders.

        Raises:
            DatasetError: the episode is empty, an encoder failed or the disk is full. The dataset is as before; if the
                disk was the cause, `save_episode` may be called again.
        """
        self._require_open()
        episode = self._episode
        if episode is None:
            raise DatasetError("there is no episode to save", hint="call add_frame() first")
        finished = episode.finish()
        try:
            self._commit(episode, finished)
        except (OSError, pa.ArrowException) as error:
            raise _write_error(self.root, error) from error
        saved = SavedEpisode(self.info.total_episodes - 1, finished.length, episode.waited_s)
        self._episode = None
        self._require_open().clear_staging()
        return saved

    def clear_episode_buffer(self) -> None:
        """Forget the episode in progress; does nothing if there is none."""
        if self._episode is not None:
            self._episode.discard()
            self._episode = None
            self._require_open().clear_staging()

    def take_back_episode(self) -> None:
        """Remove the episode that was saved last, as long as nothing was done since; its files are removed too.

        Raises:
            DatasetError: no episode was saved before this by this recorder, or another is in progress.
        """
        lock = self._require_open()
        if self._before_last is None or self.episode_length:
            raise DatasetError("there is no episode to take back", expected="a call right after save_episode()")
        self.clear_episode_buffer()
        info, tasks, stats, statistics = self._before_last
        try:
            # As in a commit, info.json decides: files of an episode that it does not count are leftovers.
            replace_text(self.root / layout.INFO_PATH, info.to_json())
            self.info, self.tasks, self.stats, self._statistics = info, tasks, stats, statistics
            self._before_last = None
            replace_text(self.root / layout.STATS_PATH, json.dumps(stats_to_json(stats), indent=4))
            self._next = remove_leftovers(self.root, info, load_episodes(self.root, info))
        except OSError as error:
            raise _write_error(self.root, error) from error
        lock.clear_staging()

    def finalize(self) -> None:
        """End the recording: drop an unsaved episode, join small files, bring the statistics up to date.

        The dataset is valid before, during and after; a kill leaves either form. Does nothing when already closed.

        Raises:
            DatasetError: the joined files could not be written; the dataset stays as it was.
        """
        if self._lock is None:
            return
        self.clear_episode_buffer()
        try:
            self._lock = compact(self.root, self.info, self._lock)
            self.stats = load_stats(self.root) or {}
        except (OSError, pa.ArrowException) as error:
            raise _write_error(self.root, error) from error
        finally:
            self.close()

    def close(self) -> None:
        """Drop an unsaved episode and let others write; the files stay as small as they were recorded."""
        if self._lock is not None:
            self.clear_episode_buffer()
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finalize()

    def _commit(self, episode: EpisodeInProgress, finished: FinishedEpisode) -> None:
        """Stage the files, publish them, and only then believe in the new totals."""
        staging = self._require_open().staging
        tasks = Tasks(self.tasks)
        columns = {**finished.columns, **self._index_columns(finished, tasks)}
        arrays = {key: values for key, values in columns.items() if isinstance(values, np.ndarray)}
        stats = finished.stats | {key: column_statistics(arrays[key]) for key in INDEX_DTYPES}
        stats = {key: stats[key] for key in self.info.features if key in stats}
        info = self._next_info(episode, finished, tasks)
        commit = Commit(self.root)
        if len(tasks) > len(self.tasks):
            pq.write_table(tasks.to_arrow(), staging / "tasks.parquet")
            commit.replaced.append((staging / "tasks.parquet", self.root / layout.TASKS_PATH))
        for key, path in finished.videos.items():
            commit.files.append((path, self.root / self.info.video_file(key, *self._next[key])))
        if self._row_schema is None:
            self._row_schema = table_schema(self.root, self.info, stats)
        row = self._episode_row(finished, stats)
        pq.write_table(one_row(row, self._row_schema), staging / "episode.parquet")
        meta_path = self.root / layout.format_path(layout.EPISODES_PATH, *self._next["meta"])
        commit.files.append((staging / "episode.parquet", meta_path))
        table = data_table(self._schema, columns)
        pq.write_table(table, staging / "data.parquet", row_group_size=finished.length)
        commit.files.append((staging / "data.parquet", self.root / self.info.data_file(*self._next["data"])))
        self._check(info, tasks, finished, staging / "data.parquet")
        statistics = self._statistics.copy()
        statistics.add_episode(stats, arrays)
        summary = statistics.summary()
        try:
            commit.run(info, summary)
        finally:
            if commit.is_done(info):
                self._before_last = self.info, self.tasks, self.stats, self._statistics
                self.info, self.tasks, self.stats, self._statistics = info, tasks, summary, statistics
                used = ["data", "meta", *finished.videos]
                self._next |= {key: layout.next_file(*self._next[key], info.chunks_size) for key in used}

    def _check(self, info: Info, tasks: Tasks, finished: FinishedEpisode, data: Path) -> None:
        """Read back what was staged, so that nothing becomes part of the dataset that its readers would refuse."""
        lengths = np.array([finished.length], np.int64)
        file = DataFile(data, self.info.total_frames, self.info.total_episodes, lengths)
        if findings := check_episode(info, tasks, file, finished.videos):
            raise DatasetError(
                f"episode {self.info.total_episodes} was not saved: {findings[0].text}",
                expected="one row and one picture of every camera per frame, in order",
                hint="drop it with clear_episode_buffer() and record it again; saved episodes are unharmed",
            )

    def _index_columns(self, finished: FinishedEpisode, tasks: Tasks) -> dict[str, np.ndarray[Any, Any]]:
        """The five columns that every dataset has; new tasks are added to the table in the order of their frames."""
        frames = np.arange(finished.length, dtype=np.int64)
        return {
            "timestamp": (frames / self.info.fps).astype(np.float32),
            "frame_index": frames,
            "episode_index": np.full(finished.length, self.info.total_episodes, np.int64),
            "index": frames + self.info.total_frames,
            "task_index": np.array([tasks.add(task) for task in finished.tasks], np.int64),
        }

    def _episode_row(self, finished: FinishedEpisode, stats: Stats) -> dict[str, Any]:
        first = self.info.total_frames
        row = {
            "episode_index": self.info.total_episodes,
            "tasks": list(dict.fromkeys(finished.tasks)),
            "length": finished.length,
            "dataset_from_index": first,
            "dataset_to_index": first + finished.length,
            **flatten_stats(stats),
        }
        places = {"data": "data", "meta": "meta/episodes", **{key: f"videos/{key}" for key in finished.videos}}
        for key, prefix in places.items():
            row[f"{prefix}/chunk_index"], row[f"{prefix}/file_index"] = self._next[key]
        for key in finished.videos:
            row[f"videos/{key}/from_timestamp"] = 0.0
            row[f"videos/{key}/to_timestamp"] = finished.length / self.info.fps
        return row

    def _next_info(self, episode: EpisodeInProgress, finished: FinishedEpisode, tasks: Tasks) -> Info:
        """The declarations and totals with this episode; the first one also tells what its videos are."""
        info = self.info.model_copy(deep=True)
        info.total_episodes += 1
        info.total_frames += finished.length
        info.total_tasks = len(tasks)
        info.splits = {"train": f"0:{info.total_episodes}"}
        for key, unit in episode.depth_units.items():
            info.features[key]["info"] = {**(info.features[key].get("info") or {}), "depth_unit": unit}
        for key, path in finished.videos.items():
            feature = info.features[key]
            if "video.codec" not in (known := feature.get("info") or {}):
                config = self._options.depth_encoder if is_depth(feature) else self._options.rgb_encoder
                feature["info"] = {**known, **video_info(path, config.resolved(available_encoders()))}
        return info

    def _new_episode(self) -> EpisodeInProgress:
        if self._lock is None:
            raise DatasetError("the recording is closed", hint="open it again with resume()")
        return EpisodeInProgress(self.info, self._lock.staging, self._options)

    def _require_open(self) -> WriterLock:
        if self._lock is None:
            raise DatasetError("the recording is closed", hint="open it again with resume()")
        return self._lock


def _write_error(root: Path, error: Exception) -> DatasetError:
    reason = getattr(error, "strerror", None) or error
    return DatasetError(
        f"{root} could not be written: {reason}",
        hint="saved episodes are unharmed; free some space or mend the permissions, then save again",
    )
