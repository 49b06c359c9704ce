"""`lerobot dataset-report`: writes the page."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lerobot.core.errors import DatasetError
from lerobot.core.signals import stop_signals
from lerobot.core.words import counted, numbers_of
from lerobot.dataset_tools.commands.dataset_report import DatasetReportConfig
from lerobot.dataset_tools.report.content import Details, details_here, evenly, gather
from lerobot.dataset_tools.report.page import render
from lerobot.dataset_tools.report.shards import DetailsInShards
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.jobs.progress import progress_bar


def dataset_report(config: DatasetReportConfig) -> None:
    """Write the report of a dataset.

    Raises:
        LeRobotError: there is no such dataset, its rows cannot be read, or the page cannot be written.
    """
    if config.repo_id is None and config.root is None:
        raise DatasetError("no dataset was named", expected="--repo_id or --root")
    name = config.repo_id or str(config.root and config.root.resolve().name)
    dataset = LeRobotDataset(name, config.root)
    if not dataset.num_episodes:
        raise DatasetError(f"{dataset.root} has no episode to report on")
    unknown = [number for number in config.episodes or () if number >= dataset.num_episodes]
    if unknown:
        raise DatasetError(f"{name} has no episode {unknown[0]}", expected=numbers_of(dataset.num_episodes))
    shown = sorted(set(config.episodes or evenly(dataset.num_episodes, config.max_episodes)))
    with _details(config, dataset.root.name) as details_of:
        page = render(gather(dataset, episodes=shown, verify=config.verify, details_of=details_of))
    try:
        config.output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{config.output} cannot be written: {error.strerror or error}") from error
    typer.echo(f"{config.output}: {counted(dataset.num_episodes, 'episode')}, {len(page) / 1e6:.1f} MB")


@contextmanager
def _details(config: DatasetReportConfig, name: str) -> Iterator[Details]:
    if config.executor is None:
        yield details_here
        return
    with stop_signals().graceful(), progress_bar(name) as progress:
        yield DetailsInShards(config.executor, config.shard_size_in_mb, progress)
