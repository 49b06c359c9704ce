"""All images of a dataset checked: here, or in shards on an engine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.dataset_tools.edit.groups import files_of, joined, state_of
from lerobot.dataset_tools.edit.images import SourceImages
from lerobot.dataset_tools.verification.images import camera_findings
from lerobot.dataset_tools.verification.moving import Motion, MovingParts
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Progress, Results, run_job
from lerobot.jobs.plan import Plan

WORKER = "check_images"


class ImageCheck(Protocol):
    """Checks the images of cameras."""

    def __call__(self, source: EditSource, cameras: Sequence[str], parts: MovingParts) -> Iterable[Finding]:
        """What is found, camera by camera, episode by episode.

        Args:
            source: the dataset.
            cameras: names of the cameras.
            parts: what tells that the robot moves.
        """
        ...


def check_here(source: EditSource, cameras: Sequence[str], parts: MovingParts) -> Iterator[Finding]:
    """Check them in this process; see `ImageCheck`."""
    moves = Motion(source, parts)
    with SourceImages(source) as images:
        for key in cameras:
            yield from camera_findings(images, key, range(len(source.episodes)), moves)


class CheckInShards:
    """Checks images on an engine; see `ImageCheck`.

    Args:
        executor: the engine.
        megabytes: of source files for each shard.
        progress: is told about shards that are done.
    """

    def __init__(
        self,
        executor: ExecutorConfig,
        megabytes: float = SHARD_MEGABYTES,
        progress: Progress = lambda _done, _total: None,
    ) -> None:
        self._executor = executor
        self._megabytes = megabytes
        self._progress = progress

    def __call__(self, source: EditSource, cameras: Sequence[str], parts: MovingParts) -> list[Finding]:
        """See `ImageCheck`.

        Raises:
            JobError: a shard failed for good.
        """
        rows = [
            {"camera": key, "episodes": sorted(chain.from_iterable(group.values())), "state": state_of(group)}
            for key in cameras
            for group in joined(files_of(source, key, range(len(source.episodes))), self._megabytes)
        ]
        root = source.root.absolute()
        settings = {"root": str(root), "moving": parts.key, "least": parts.least}
        folder = root.with_name(f".{root.name}.verify.job")
        found = run_job(Plan.of(WORKER, settings, rows), folder, self._executor, _findings, self._progress)
        order = {key: place for place, key in enumerate(cameras)}
        return sorted(found, key=lambda finding: (order[str(finding.feature)], finding.episode or 0))


def check_images(row: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """Worker `check_images`: what is found in some episodes of a camera; it makes no file."""
    source = open_source(Path(settings["root"]))
    moves = Motion(source, MovingParts(settings["moving"], settings["least"]))
    with SourceImages(source) as images:
        found = [astuple(each) for each in camera_findings(images, row["camera"], row["episodes"], moves)]
    return {"findings": found}


def _findings(results: Results) -> list[Finding]:
    return [Finding(*each) for result in results for each in result.data["findings"]]
