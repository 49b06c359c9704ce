"""What a report says: facts of a dataset, and curves and images of some of its episodes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.report.axes import Axis, axes_of
from lerobot.dataset_tools.report.thumbnails import thumbnail
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.extra_columns import capture_time_key
from lerobot.datasets.format.features import NUMERIC_DTYPES, Feature, element_names

SHOWN = (0.0, 0.5, 1.0)
"""Where in an episode its images are from."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How evenly an episode was recorded, by the capture times of its actions or state.

    Attributes:
        rate: achieved frames per second.
        p50_ms: median time from row to row.
        p99_ms: 99th percentile of it.
        worst_ms: longest.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class EpisodeDetail:
    """An episode that is shown.

    Attributes:
        number: of the episode.
        tasks: its instructions.
        length: its rows.
        columns: its vectors by feature `(n, D)`.
        images: per camera the addresses of its thumbnails, or why there are none.
        timing: measured times, if they were recorded.
    """

    number: int
    tasks: list[str]
    length: int
    columns: dict[str, NDArray[np.float64]]
    images: dict[str, list[str] | str]
    timing: Timing | None


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything a page shows.

    Attributes:
        meta: the dataset.
        size_bytes: of its files.
        task_counts: per instruction its episodes and frames.
        findings: of the verification; None if it was not asked for.
        axes: what curves are drawn of, with the extremes of the episodes shown.
        details: the episodes shown.
    """

    meta: LeRobotDatasetMetadata
    size_bytes: int
    task_counts: dict[str, tuple[int, int]]
    findings: list[Finding] | None
    axes: list[Axis]
    details: list[EpisodeDetail]


class Details(Protocol):
    """Collects what is shown of episodes."""

    def __call__(self, dataset: FrameDataset, episodes: Sequence[int]) -> list[EpisodeDetail]:
        """What is shown of each, in this order.

        Args:
            dataset: all of it.
            episodes: their numbers.
        """
        ...


def details_here(dataset: FrameDataset, episodes: Sequence[int]) -> list[EpisodeDetail]:
    """Collect it in this process; see `Details`."""
    return [_detail(dataset, number, list(_vectors(dataset))) for number in episodes]


def gather(
    dataset: FrameDataset, *, episodes: Sequence[int], verify: bool, details_of: Details = details_here
) -> ReportContent:
    """Collect what a page shows.

    Args:
        dataset: all of it.
        episodes: numbers of those whose curves and images are shown.
        verify: check it too, without decoding every image.
        details_of: collects what is shown of these episodes, here or elsewhere.

    Raises:
        DatasetError: rows cannot be read.
    """
    meta = dataset.meta
    details = details_of(dataset, episodes)
    axes = [
        axis
        for key, names in _vectors(dataset).items()
        for axis in axes_of(key, names, [detail.columns[key] for detail in details])
    ]
    return ReportContent(
        meta=meta,
        size_bytes=sum(path.stat().st_size for path in _files(meta.root)),
        task_counts=_count_tasks(meta),
        findings=list(verify_dataset(meta.root, pictures=False)) if verify else None,
        axes=axes,
        details=details,
    )


def evenly(total: int, most: int) -> list[int]:
    """Episodes to show: all, or as many as asked for from the first to the last."""
    return sorted(set(np.linspace(0, total - 1, min(total, most)).round().astype(int).tolist()))


def _vectors(dataset: FrameDataset) -> dict[str, list[str]]:
    """What curves are drawn of, with the names of the elements."""
    return {
        key: element_names(feature)
        for key, feature in dataset.meta.features.items()
        if (key == "action" or key.startswith("observation.")) and _is_vector(feature)
    }


def _is_vector(feature: Feature) -> bool:
    return feature["dtype"] in NUMERIC_DTYPES and len(feature["shape"]) == 1


def _detail(dataset: FrameDataset, number: int, vectors: list[str]) -> EpisodeDetail:
    row = dataset.meta.episodes[number]
    start, length = int(row["dataset_from_index"]), int(row["length"])
    positions = np.arange(start, start + length)
    clocks = [capture_time_key(key) for key in ("action", "observation.state")]
    clock = next((key for key in clocks if key in dataset.features), None)
    wanted = [*vectors, *([clock] if clock else [])]
    numbers = dataset.reader.numbers.fetch(dict.fromkeys(wanted, positions)) if wanted else {}
    return EpisodeDetail(
        number=number,
        tasks=list(row["tasks"]),
        length=length,
        columns={key: numbers[key].reshape(length, -1).astype(np.float64) for key in vectors},
        images=dict(_images(dataset, positions)),
        timing=timing_of(numbers[clock]) if clock else None,
    )


def _images(dataset: FrameDataset, positions: NDArray[np.int64]) -> Iterator[tuple[str, list[str] | str]]:
    chosen = np.unique([positions[round(part * (len(positions) - 1))] for part in SHOWN])
    for key in dataset.meta.camera_keys:
        try:
            images = dataset.reader.read_camera(key, chosen)
        except DatasetError as error:
            # A page about a damaged dataset is the one that is needed most.
            yield key, error.what
        else:
            yield key, [thumbnail(image) for image in images]


def timing_of(times: NDArray[Any]) -> Timing | None:
    """How evenly rows follow each other; None where their times do not tell.

    Args:
        times: `(n,)` capture times in seconds.
    """
    steps = np.diff(times.astype(np.float64).reshape(-1)) * 1000
    if not steps.size or not np.isfinite(steps).all() or steps.sum() <= 0:
        return None
    p50, p99 = np.percentile(steps, [50, 99])
    return Timing(1000 * len(steps) / float(steps.sum()), float(p50), float(p99), float(steps.max()))


def _count_tasks(meta: LeRobotDatasetMetadata) -> dict[str, tuple[int, int]]:
    episodes: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    for tasks, length in zip(meta.episodes["tasks"], meta.episodes["length"], strict=True):
        for task in tasks:
            episodes[task] += 1
            frames[task] += length
    return {task: (count, frames[task]) for task, count in episodes.items()}


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())
