"""What a report shows of episodes, collected in shards on an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.dataset_tools.edit.groups import files_of, joined, state_of
from lerobot.dataset_tools.report.content import EpisodeDetail, Timing, details_here
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.reader.source import open_source
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Progress, Results, ShardResult, run_job
from lerobot.jobs.plan import Plan

WORKER = "report_episodes"
_COLUMNS = "columns.npz"


class DetailsInShards:
    """Collects what is shown of episodes on an engine; see `Details`.

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

    def __call__(self, dataset: FrameDataset, episodes: Sequence[int]) -> list[EpisodeDetail]:
        """See `Details`.

        Raises:
            JobError: a shard failed for good.
        """
        source = open_source(dataset.root)
        # The files of one camera tell which episodes lie beside each other; without a camera the data files do.
        camera = next(iter(source.info.camera_keys), None)
        files = files_of(source, camera, episodes)
        rows = [
            {"episodes": sorted(chain.from_iterable(group.values())), "state": state_of(group)}
            for group in joined(files, self._megabytes)
        ]
        root = source.root.absolute()
        folder = root.with_name(f".{root.name}.report.job")
        plan = Plan.of(WORKER, {"root": str(root)}, rows)
        found = run_job(plan, folder, self._executor, _details, self._progress)
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
