"""Records a LeRobotDataset v3.0, one durable episode after another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from lerobot.core.durable import replace_text
from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.core.paths import user_path
from lerobot.datasets.format import layout
from lerobot.datasets.format.episodes import load_episodes
from lerobot.datasets.format.features import INDEX_DTYPES, default_features
from lerobot.datasets.format.info import Info, load_info, parse_info
from lerobot.datasets.format.stats_json import Stats, load_stats, stats_to_json
from lerobot.datasets.format.tasks import Tasks
from lerobot.datasets.writer.assembly import Assembly, SavedState, load_state
from lerobot.datasets.writer.compaction import compact
from lerobot.datasets.writer.continuation import check_can_continue
from lerobot.datasets.writer.episode import EpisodeInProgress, FinishedEpisode
from lerobot.datasets.writer.frames import check_cameras
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
    """

    def __init__(self, root: Path, info: Info, options: WritingOptions, lock: WriterLock) -> None:
        self.root = root
        self._options = options
        self._lock: WriterLock | None = lock
        self._next = remove_leftovers(root, info, load_episodes(root, info))
        self._saved = load_state(root, info)
        self._before_last: SavedState | None = None
        self._assembly = Assembly(root, info, options)
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
        root = user_path(root)
        info = parse_info(document, root / layout.INFO_PATH)
        check_cameras(info.features)
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
        root = user_path(root)
        check_can_continue(load_info(root), root, features)
        lock = WriterLock(root)
        try:
            return cls(root, load_info(root), options or WritingOptions(), lock)
        except BaseException:
            lock.release()
            raise

    @property
    def is_open(self) -> bool:
        """Whether episodes can still be recorded."""
        return self._lock is not None

    @property
    def info(self) -> Info:
        """Declarations and totals of what is saved."""
        return self._saved.info

    @property
    def tasks(self) -> Tasks:
        """The task table of what is saved."""
        return self._saved.tasks

    @property
    def stats(self) -> Stats:
        """Statistics of what is saved, by feature."""
        return self._saved.stats

    @property
    def episode_length(self) -> int:
        """Frames in the episode in progress."""
        return self._episode.length if self._episode else 0

    @property
    def waited_s(self) -> float:
        """Seconds that the episode in progress has waited for its encoders."""
        return self._episode.waited_s if self._episode else 0.0

    def add_frame(self, frame: Mapping[str, Any], task: str | None = None) -> None:
        """Add one frame to the episode in progress; images are copied, so buffers may be reused.

        Waits while an encoder is further behind than its queue allows; see `waited_s`.

        Args:
            frame: per feature a numpy array (dtype and shape as declared), number, text, PIL image or torch tensor;
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
            self._commit(finished)
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
        before = self._before_last
        try:
            # As in a commit, info.json decides: files of an episode that it does not count are leftovers.
            replace_text(self.root / layout.INFO_PATH, before.info.to_json())
            self._saved, self._before_last = before, None
            replace_text(self.root / layout.STATS_PATH, json.dumps(stats_to_json(before.stats), indent=4))
            self._next = remove_leftovers(self.root, before.info, load_episodes(self.root, before.info))
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
            self._saved = replace(self._saved, stats=load_stats(self.root) or {})
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

    def _commit(self, finished: FinishedEpisode) -> None:
        """Stage the files, publish them, and only then believe in the new totals."""
        commit, after = self._assembly.stage(finished, self._saved, self._next, self._require_open().staging)
        try:
            commit.run(after.info, after.stats)
        finally:
            if commit.is_done(after.info):
                self._before_last, self._saved = self._saved, after
                used = ["data", "meta", *finished.videos]
                self._next |= {key: layout.next_file(*self._next[key], after.info.chunks_size) for key in used}

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
