"""All images of a dataset checked: here, or in shards on an engine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, Protocol

from lerobot.dataset_tools.edit.episode_shards import EpisodeShards
from lerobot.dataset_tools.edit.images import SourceImages
from lerobot.dataset_tools.verification.images import camera_findings
from lerobot.dataset_tools.verification.moving import Motion, MovingParts
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.jobs.job import Results
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


class CheckInShards(EpisodeShards):
    """Checks images on an engine; see `ImageCheck`."""

    def __call__(self, source: EditSource, cameras: Sequence[str], parts: MovingParts) -> list[Finding]:
        """See `ImageCheck`.

        Raises:
            JobError: a shard failed for good.
        """
        everything = range(len(source.episodes))
        rows = [{"camera": key, **row} for key in cameras for row in self.rows(source, key, everything)]
        root = source.root.absolute()
        settings = {"root": str(root), "moving": parts.key, "least": parts.least}
        found = self.run(Plan.of(WORKER, settings, rows), root, "verify", _findings)
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
