"""`lerobot convert-dataset`: an older version or another format, with a progress bar."""

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.errors import JobError
from lerobot.core.signals import stop_signals
from lerobot.core.words import counted
from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.conversion.choices import ImportChoices
from lerobot.dataset_tools.conversion.convert import ImportResult, import_dataset
from lerobot.dataset_tools.conversion.shards import import_in_shards
from lerobot.dataset_tools.edit.convert import convert_dataset
from lerobot.dataset_tools.edit.interruption import whole_or_nothing
from lerobot.dataset_tools.formats.config import SourceConfig
from lerobot.dataset_tools.formats.source import EpisodeSource
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import load_info
from lerobot.datasets.hub.card import dataset_card
from lerobot.datasets.hub.push import CARD_PATH
from lerobot.datasets.writer.options import WritingOptions
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.progress import progress_bar


def convert_dataset_command(config: ConvertDatasetConfig) -> None:
    """Convert a v2.x dataset, or import another format, and say where the result is.

    Raises:
        LeRobotError: the dataset cannot be converted; nothing was changed.
    """
    if config.source is not None:
        import_from(config, config.source, config.new_root or dataset_folder(config.repo_id, config.root))
        return
    with whole_or_nothing():
        result = convert_dataset(
            dataset_folder(config.repo_id, config.root),
            config.new_root,
            data_files_size_in_mb=config.data_file_size_in_mb,
            video_files_size_in_mb=config.video_file_size_in_mb,
        )
    typer.echo(result.summary())


def import_from(config: ConvertDatasetConfig, chosen: SourceConfig, root: Path) -> None:
    """Import a source and say what it became.

    Args:
        config: the command's configuration.
        chosen: the format and what is read.
        root: folder of the dataset.

    Raises:
        LeRobotError: it cannot be imported; episodes that were saved stay.
    """
    choices = ImportChoices(
        fps=config.fps,
        task=config.task,
        overrides=config.map,
        skip_episodes=config.skip_episodes,
        video=config.video,
        float_type=config.float_type,
        robot_type=config.robot_type or chosen.known_robot_type(),
        options=WritingOptions(rgb_encoder=config.rgb_encoder, depth_encoder=config.depth_encoder),
        data_files_size_in_mb=config.data_file_size_in_mb or layout.DEFAULT_DATA_FILES_SIZE_IN_MB,
        video_files_size_in_mb=config.video_file_size_in_mb or layout.DEFAULT_VIDEO_FILES_SIZE_IN_MB,
    )
    if config.executor is None:
        result = _import_here(chosen, root, choices)
    else:
        result = _import_on(config.executor, chosen, root, choices, config.shard_size_in_mb)
    if details := chosen.card_details():
        card = dataset_card(config.repo_id or root.name, load_info(result.root), **details)
        (result.root / CARD_PATH).write_text(card, encoding="utf-8")
    text = f"{result.root}: {counted(result.episodes, 'episode')}, {counted(result.frames, 'frame')}"
    typer.echo(f"{text}; {result.resumed_at} of them were there" if result.resumed_at else text)


def _import_on(
    executor: ExecutorConfig, chosen: SourceConfig, root: Path, choices: ImportChoices, megabytes: float
) -> ImportResult:
    """In shards: the dataset is there as a whole or not at all."""
    with stop_signals().graceful(), progress_bar(chosen.source_name()) as progress:
        try:
            return import_in_shards(chosen, root, choices, executor, megabytes, progress)
        except (KeyboardInterrupt, JobError):
            typer.echo(f"{root}: what is done is kept; the same command goes on with the rest", err=True)
            raise


def _import_here(chosen: SourceConfig, root: Path, choices: ImportChoices) -> ImportResult:
    """Episode by episode: at every instant the dataset is a valid one of those saved so far."""
    source: EpisodeSource = chosen.build()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("episodes")
    frames = TextColumn("{task.fields[frames]} frames")
    try:
        with (
            stop_signals().graceful(),
            Progress(*columns, frames, TimeRemainingColumn(), console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task(
                chosen.source_name(), total=len(source.episodes) - len(set(choices.skip_episodes)), frames=0
            )

            def report(episodes: int, written: int) -> None:
                progress.update(bar, completed=episodes, frames=written)

            return import_dataset(source, root, **dict(choices), report=report)
    except KeyboardInterrupt:
        # What the disk says: between an episode's commit and its report there is time for a Ctrl-C.
        saved = load_info(root).total_episodes if (root / layout.INFO_PATH).is_file() else 0
        typer.echo(f"{root}: {counted(saved, 'episode')} saved; the same command goes on with the next", err=True)
        raise
    finally:
        source.close()
