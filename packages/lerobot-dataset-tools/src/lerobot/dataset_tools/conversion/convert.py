"""Writes the episodes of another format as a LeRobotDataset, episode by episode, and goes on where it was cut off."""

import contextlib
import logging
import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.errors import DatasetError, FeatureMismatchError, LeRobotError
from lerobot.core.paths import user_path
from lerobot.core.signals import check_stop
from lerobot.core.words import numbers_of
from lerobot.dataset_tools.conversion.plan import FloatType, ImportPlan
from lerobot.dataset_tools.conversion.same_source import check_same_source
from lerobot.dataset_tools.formats.source import EpisodeSource
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import load_info
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

logger = logging.getLogger(__name__)

Report = Callable[[int, int], None]
"""Called at the begin, after each frame and each saved episode: episodes that are saved, frames that this run wrote."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import made.

    Attributes:
        root: the dataset's folder.
        episodes: its episodes.
        frames: its frames.
        resumed_at: episodes that an earlier run had saved.
    """

    root: Path
    episodes: int
    frames: int
    resumed_at: int


def import_dataset(
    source: EpisodeSource,
    root: Path,
    *,
    fps: float | None = None,
    task: str | None = None,
    overrides: Mapping[str, str | None] | None = None,
    skip_episodes: Collection[int] = (),
    video: bool = True,
    float_type: FloatType = "float32",
    robot_type: str | None = None,
    options: WritingOptions | None = None,
    data_files_size_in_mb: int = layout.DEFAULT_DATA_FILES_SIZE_IN_MB,
    video_files_size_in_mb: int = layout.DEFAULT_VIDEO_FILES_SIZE_IN_MB,
    numbers: Callable[[int], int] = lambda episode: episode,
    report: Report = lambda _episodes, _frames: None,
) -> ImportResult:
    """Write a source's episodes into a dataset; at every instant it is a valid one of the episodes saved so far.

    If the dataset exists, it is taken for the result of an earlier run that was cut off: episodes it has are compared
    with the source's (see `check_same_source`) and the others are added.

    Args:
        source: what to import.
        root: folder of the dataset.
        fps: frames per second; the source's if None.
        task: instruction of every episode; the source's if None.
        overrides: see `ImportPlan`.
        skip_episodes: numbers of episodes of the source to leave out.
        video: store images as video, else as single images.
        float_type: see `FloatType`.
        robot_type: name of the robot, for the record.
        options: encoders and queues.
        data_files_size_in_mb: size of data files.
        video_files_size_in_mb: size of video files.
        numbers: number by which the user knows an episode of the source, where it is a part of another one.
        report: is told about progress.

    Raises:
        DatasetError: the source or the dataset is damaged, they do not belong together, or there is no rate or
            instruction. Episodes that were saved stay.
        FeatureMismatchError: the mapping or a frame does not fit; names the field or feature.
    """
    root = user_path(root)
    plan = ImportPlan(source.fields, overrides, video=video, float_type=float_type)
    if plan.left_out:
        logger.info("left out: %s; take one with --map", ", ".join(plan.left_out))
    chosen = chosen_episodes(source, skip_episodes)
    rate = chosen_rate(source, fps)
    writer = _Import(source, plan, chosen, chosen_instruction(source, plan, task), numbers)
    sizes = data_files_size_in_mb, video_files_size_in_mb
    with _recorder(root, rate, plan, sizes, robot_type, options) as recorder:
        resumed_at = recorder.info.total_episodes
        report(resumed_at, 0)
        check_same_source(root, writer.frames, len(chosen), plan)
        writer.write(recorder, report)
        recorder.finalize()
    return ImportResult(root, recorder.info.total_episodes, recorder.info.total_frames, resumed_at)


@contextlib.contextmanager
def _recorder(
    root: Path,
    rate: float,
    plan: ImportPlan,
    sizes: tuple[int, int],
    robot_type: str | None,
    options: WritingOptions | None,
) -> Iterator[DatasetRecorder]:
    """A new dataset, or one to go on with. One that was made in vain goes: another try may have other features."""
    is_new = not (root / layout.INFO_PATH).is_file()
    recorder = _create(root, rate, plan, sizes, robot_type, options) if is_new else _resume(root, rate, plan, options)
    try:
        yield recorder
    except BaseException:
        recorder.close()
        if is_new and not recorder.info.total_episodes:
            shutil.rmtree(recorder.root)
        raise


def _create(
    root: Path,
    rate: float,
    plan: ImportPlan,
    sizes: tuple[int, int],
    robot_type: str | None,
    options: WritingOptions | None,
) -> DatasetRecorder:
    return DatasetRecorder.create(
        root,
        rate,
        plan.features,
        robot_type=robot_type,
        options=options,
        data_files_size_in_mb=sizes[0],
        video_files_size_in_mb=sizes[1],
    )


def chosen_instruction(source: EpisodeSource, plan: ImportPlan, task: str | None) -> str | None:
    """The instruction of every episode; None if the source has one for each frame.

    Raises:
        DatasetError: there is none at all.
    """
    if task is None and plan.task_field is not None:
        return None
    if task is None and source.task is None:
        raise DatasetError("the source has no instruction in words", expected="--task, such as --task='Lift the cube'")
    return source.task if task is None else task


def _resume(root: Path, rate: float, plan: ImportPlan, options: WritingOptions | None) -> DatasetRecorder:
    if (known := load_info(root).fps) != rate:
        raise DatasetError(f"{root} has {known:g} frames a second, not {rate:g}", hint="import into a new folder")
    return DatasetRecorder.resume(root, features=plan.features, options=options)


@dataclass(frozen=True, slots=True)
class _Import:
    """The frames to write.

    Attributes:
        source: where they are from.
        plan: what becomes what.
        episodes: number in the source of each episode of the dataset.
        task: instruction of every frame; that of the source's field if None.
        numbers: see `import_dataset`.
    """

    source: EpisodeSource
    plan: ImportPlan
    episodes: list[int]
    task: str | None
    numbers: Callable[[int], int]

    def frames(self, episode: int, features: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """Frames of an episode of the dataset with their task; only some features, or all if None."""
        names = self.plan.fields if features is None else self.plan.fields_of(features)
        if self.task is None:
            names |= {str(self.plan.task_field)}
        row = 0
        try:
            for values in self.source.frames(self.episodes[episode], names):
                check_stop()
                task = values[str(self.plan.task_field)] if self.task is None else self.task
                yield {**self.plan.frame(values, features), "task": task}
                row += 1
        except (DatasetError, FeatureMismatchError) as error:
            raise self._at(episode, row, error) from error

    def write(self, recorder: DatasetRecorder, report: Report) -> None:
        """Add the episodes that the dataset does not have yet."""
        written = 0
        for episode in range(recorder.info.total_episodes, len(self.episodes)):
            try:
                for frame in self.frames(episode):
                    recorder.add_frame(frame)
                    written += 1
                    report(episode, written)
            except FeatureMismatchError as error:
                raise self._at(episode, recorder.episode_length, error) from error
            if not recorder.episode_length:
                raise self._at(episode, 0, DatasetError("there is no frame"))
            recorder.save_episode()
            report(episode + 1, written)

    def _at(self, episode: int, frame: int, error: LeRobotError) -> DatasetError:
        name = self.source.episodes[self.episodes[episode]]
        number = self.numbers(self.episodes[episode])
        return DatasetError(
            f"episode {number} ({name}), frame {frame}: {error.what}",
            expected=error.expected,
            hint=f"mend it or leave it out: --skip_episodes=[{number}]; saved episodes stay",
        )


def chosen_episodes(source: EpisodeSource, skipped: Collection[int]) -> list[int]:
    """Numbers of the episodes that are not left out.

    Raises:
        DatasetError: the source has no such episode to leave out.
    """
    total = len(source.episodes)
    if unknown := sorted(number for number in skipped if not 0 <= number < total):
        raise DatasetError(f"the source has no episode {unknown[0]} to skip", expected=numbers_of(total))
    return [number for number in range(total) if number not in skipped]


def chosen_rate(source: EpisodeSource, fps: float | None) -> float:
    """Frames per second as the format writes them: whole where they are.

    Raises:
        DatasetError: neither the user nor the source says a rate.
    """
    given: Any = source.fps if fps is None else fps
    if given is None:
        raise DatasetError("the source does not say how many frames a second has", expected="--fps, such as --fps=20")
    if not isinstance(given, (int, float)) or not 0 < given < math.inf:
        raise DatasetError(f"the source says that a second has {given} frames", expected="--fps, such as --fps=20")
    return int(given) if float(given).is_integer() else given
