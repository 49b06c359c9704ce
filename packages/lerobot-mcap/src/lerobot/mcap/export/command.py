"""`lerobot export-mcap`: episodes of a dataset as a log, whole or not at all."""

from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.durable import flush_file, publish
from lerobot.core.errors import DatasetError
from lerobot.core.signals import stop_signals
from lerobot.core.words import counted, numbers_of
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.hub.pull import episode_files, fetch_files
from lerobot.datasets.reader.reader import FrameReader
from lerobot.mcap.commands.export_mcap import ExportMcapConfig
from lerobot.mcap.export.log import LogExport
from lerobot.mcap.export.numbers import StoredNumbers


def export_mcap(config: ExportMcapConfig) -> None:
    """Export episodes and say what was written.

    Raises:
        LeRobotError: there is no such dataset or episode, it is damaged, or the file cannot be written.
    """
    folder = dataset_folder(config.dataset.repo_id, config.dataset.root)
    meta = LeRobotDatasetMetadata(config.dataset.repo_id or folder.name, config.dataset.root)
    chosen = list(range(meta.total_episodes)) if config.dataset.episodes is None else list(config.dataset.episodes)
    if unknown := [number for number in chosen if number >= meta.total_episodes]:
        raise DatasetError(f"{folder} has no episode {unknown[0]}", expected=numbers_of(meta.total_episodes))
    if not chosen:
        raise DatasetError(f"{folder} has no episode to export")
    if config.output.exists():
        raise DatasetError(f"{config.output} already exists", expected="a new file: --output")
    fetch_files(meta.root, meta.repo_id, episode_files(meta.info, meta.episodes, chosen))
    aside = config.output.with_name(f".{config.output.name}.new")
    try:
        frames = _write(config, meta, chosen, aside)
        flush_file(aside)
        publish(aside, config.output)
    except OSError as error:
        raise DatasetError(f"{config.output} cannot be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
    size = config.output.stat().st_size / 1e6
    typer.echo(f"{config.output}: {counted(len(chosen), 'episode')}, {counted(frames, 'frame')}, {size:.1f} MB")


def _write(config: ExportMcapConfig, meta: LeRobotDatasetMetadata, chosen: list[int], path: Path) -> int:
    starts, stops = (meta.episodes.column(f"dataset_{side}_index") for side in ("from", "to"))
    frames = int(sum(stops[number] - starts[number] for number in chosen))
    reader = FrameReader(meta.root, meta.info, meta.episodes, meta.tasks, depth_unit="mm")
    numbers = StoredNumbers(meta)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("frames")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            path.open("wb") as file,
            stop_signals().graceful(),
            Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task(config.output.name, total=frames)
            log = LogExport(file, meta.info, config.images, round(config.begin_s * 1e9))
            for number in chosen:
                first, end = int(starts[number]), int(stops[number])
                log.write(
                    reader, numbers.of(first, end), np.arange(first, end), lambda count: progress.advance(bar, count)
                )
            log.finish()
    finally:
        reader.videos.close()
    return frames
