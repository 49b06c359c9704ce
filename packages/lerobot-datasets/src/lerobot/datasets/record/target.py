"""Where a recording goes: its name, its folder, and what writes it."""

import datetime
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.errors import ConfigError, ConfigProblem, DatasetError
from lerobot.core.paths import lerobot_home
from lerobot.core.processors.robot import ActionPipeline, ObservationPipeline
from lerobot.core.protocols.robot import Robot
from lerobot.datasets.commands.record import DatasetRecordConfig
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.record.rows import RowBuilder, extra_columns_of
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder


@dataclass(frozen=True, slots=True)
class Target:
    """An open dataset.

    Attributes:
        repo_id: its full name.
        recorder: writes it.
        rows: makes its rows.
        is_new: whether this run created it.
    """

    repo_id: str
    recorder: DatasetRecorder
    rows: RowBuilder
    is_new: bool

    def close(self) -> None:
        """Drop an unfinished episode; remove a dataset that was created in vain, so that its name is free again."""
        self.recorder.close()
        root = self.recorder.root
        if self.is_new and [path for path in root.rglob("*") if path.is_file()] == [root / layout.INFO_PATH]:
            shutil.rmtree(root)


def stamped(repo_id: str, now: datetime.datetime) -> str:
    """The name of a recording that begins at `now`."""
    return f"{repo_id}_{now:%Y%m%d_%H%M%S}"


def open_target(
    dataset: DatasetRecordConfig,
    robot: Robot,
    *,
    resume: bool,
    observation: ObservationPipeline,
    action: ActionPipeline,
    added: Mapping[str, Any] | None = None,
) -> Target:
    """Create the dataset, or open the one to resume.

    Args:
        dataset: what is recorded, and where to.
        robot: the robot; need not be connected.
        resume: add to an existing dataset.
        observation: from what it measures to what is stored.
        action: from what it was sent to what is stored.
        added: declarations of columns that the caller fills.

    Raises:
        DatasetError: the folder exists, or the dataset to resume does not; or it cannot be written.
        ConfigError: the dataset to resume has another rate.
        FeatureMismatchError: the dataset to resume has other features; names each.
    """
    as_named = resume or dataset.no_stamp
    repo_id = dataset.repo_id if as_named else stamped(dataset.repo_id, datetime.datetime.now().astimezone())
    root = dataset.root if dataset.root is not None else lerobot_home() / repo_id
    options = WritingOptions(
        rgb_encoder=dataset.rgb_encoder,
        depth_encoder=dataset.depth_encoder,
        encoder_queue_maxsize=dataset.encoder_queue_maxsize,
        encoder_threads=dataset.encoder_threads or 1,
    )
    if not resume:
        rows = RowBuilder(
            robot,
            observation=observation,
            action=action,
            extra_columns=dataset.extra_columns,
            video=dataset.video,
            depth_video=dataset.depth_video,
        )
        rows.features |= added or {}
        recorder = DatasetRecorder.create(root, dataset.fps, rows.features, robot_type=robot.name, options=options)
        return Target(repo_id, recorder, rows, is_new=True)
    info = _info_to_resume(root, dataset)
    rows = RowBuilder(
        robot,
        observation=observation,
        action=action,
        extra_columns=extra_columns_of(info),
        video=not set(info.image_keys) - set(info.depth_keys),
        depth_video=not set(info.image_keys) & set(info.depth_keys),
    )
    rows.features |= added or {}
    recorder = DatasetRecorder.resume(root, features=rows.features, options=options)
    return Target(repo_id, recorder, rows, is_new=False)


def _info_to_resume(root: Path, dataset: DatasetRecordConfig) -> Info:
    if not (root / layout.INFO_PATH).is_file():
        near = [path.name for path in layout.stamped_beside(root)]
        raise DatasetError(
            f"there is no dataset to resume at {root}",
            expected="the exact name of a recorded dataset, with its time stamp",
            hint=f"There is {', '.join(near[-3:])}." if near else "Leave --resume out to begin a new one.",
        )
    info = load_info(root)
    if info.fps != dataset.fps:
        expected = f"{info.fps:g}, the rate of the dataset that is resumed"
        raise ConfigError([ConfigProblem("--dataset.fps", f"{dataset.fps:g}", expected)])
    return info
