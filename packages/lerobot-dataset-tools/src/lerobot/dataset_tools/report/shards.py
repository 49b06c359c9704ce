"""What a report shows of episodes, collected in shards on an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.dataset_tools.edit.episode_shards import EpisodeShards
from lerobot.dataset_tools.report.content import EpisodeDetail, Timing, details_here
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.reader.source import open_source
from lerobot.jobs.job import Results, ShardResult
from lerobot.jobs.plan import Plan

WORKER = "report_episodes"
_COLUMNS = "columns.npz"


class DetailsInShards(EpisodeShards):
    """Collects what is shown of episodes on an engine; see `Details`."""

    def __call__(self, dataset: FrameDataset, episodes: Sequence[int]) -> list[EpisodeDetail]:
        """See `Details`.

        Raises:
            JobError: a shard failed for good.
        """
        source = open_source(dataset.root)
        # The files of one camera tell which episodes lie beside each other; without a camera the data files do.
        camera = next(iter(source.info.camera_keys), None)
        root = source.root.absolute()
        plan = Plan.of(WORKER, {"root": str(root)}, list(self.rows(source, camera, episodes)))
        found = self.run(plan, root, "report", _details)
        return [found[number] for number in episodes]


def report_episodes(row: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Worker `report_episodes`: what is shown of some episodes; their curves in a file, for they may not be finite."""
    root = Path(settings["root"])
    dataset = FrameDataset(LeRobotDatasetMetadata(root.name, root))
    details = details_here(dataset, row["episodes"])
    columns = {f"{detail.number}/{key}": values for detail in details for key, values in detail.columns.items()}
    np.savez(folder / _COLUMNS, **columns)  # type: ignore[arg-type] # its other parameter is no column's name
    return {"episodes": [{**asdict(detail), "columns": list(detail.columns)} for detail in details]}


def _details(results: Results) -> dict[int, EpisodeDetail]:
    return {detail.number: detail for result in results for detail in _details_of(result)}


def _details_of(result: ShardResult) -> list[EpisodeDetail]:
    with np.load(result.folder / _COLUMNS, allow_pickle=False) as columns:
        return [
            EpisodeDetail(
                **{
                    **episode,
                    "columns": {key: columns[f"{episode['number']}/{key}"] for key in episode["columns"]},
                    "timing": None if episode["timing"] is None else Timing(**episode["timing"]),
                }
            )
            for episode in result.data["episodes"]
        ]
