"""Files of a v2.0 or v2.1 dataset as v3.0."""

from pathlib import Path

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, select
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.reader.source import open_source


def convert_dataset(
    root: Path,
    new_root: Path | None = None,
    *,
    data_files_size_in_mb: int | None = None,
    video_files_size_in_mb: int | None = None,
) -> EditResult:
    """Convert a v2.0 or v2.1 dataset to v3.0 files: episodes joined, every value and image as it was.

    Numeric statistics are computed from the values, with quantiles; those of images are kept, and computed from
    sampled images where the dataset has none (v2.0).

    Args:
        root: the dataset.
        new_root: see `carry_out`.
        data_files_size_in_mb: size of data files; the format's if None.
        video_files_size_in_mb: size of video files; the format's if None.

    Raises:
        DatasetError: the dataset is not v2.x, or damaged; nothing was changed.
    """
    source = open_source(root)
    if not source.info.is_legacy:
        raise DatasetError(f"{root} has format {source.info.codebase_version} already", expected="v2.0 or v2.1")
    info = upgraded_info(source.info)
    info.data_files_size_in_mb = data_files_size_in_mb or info.data_files_size_in_mb
    info.video_files_size_in_mb = video_files_size_in_mb or info.video_files_size_in_mb
    known = {name.split("/")[1] for name in source.columns.names if name.startswith("stats/")}
    selections, tasks = select([(source, np.arange(len(source.episodes)))])
    plan = EditPlan(
        selections,
        info,
        tasks,
        join_data=True,
        join_videos=True,
        fresh_statistics=True,
        decoded_statistics=frozenset(info.camera_keys) - known,
    )
    return carry_out(plan, root, new_root)
