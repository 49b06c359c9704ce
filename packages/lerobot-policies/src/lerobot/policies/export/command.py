"""`lerobot export`: load, export, and say what was written."""

from datetime import datetime
from pathlib import Path

import typer
from rich.console import Console

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.commands.export import ExportConfig
from lerobot.policies.export.description import action_names
from lerobot.policies.export.files import NAME, export_files
from lerobot.policies.export.gains import table
from lerobot.policies.preflight.comparison import check_policy, check_same
from lerobot.policies.preflight.sources import Described, describe_dataset, describe_robot


def export_command(config: ExportConfig) -> None:
    """Run the command.

    Args:
        config: validated configuration.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: policy, robot and dataset do not fit.
        LeRobotError: the policy cannot be exported, the result differs from it, or a package is missing.
    """
    for form in config.formats:
        form.build().require()
    dataset = describe_dataset(config.dataset) if config.dataset is not None else None
    robot = describe_robot(config.robot) if config.robot is not None else None
    _require_fit(config, dataset, robot)
    on_cpu = config.policy.model_copy(update={"device": "cpu", "dtype": "float32"})
    trained = PolicyWithProcessors.from_pretrained(
        str(config.policy.pretrained_path), config=on_cpu, revision=config.policy.pretrained_revision
    )
    fps = config.fps if config.fps is not None or dataset is None else dataset.fps
    folder = config.output_dir or _folder(config, datetime.now())
    sources = [each for each in (robot, dataset) if each]
    reports = export_files(
        trained,
        folder,
        formats=config.formats,
        sources=sources,
        fps=fps,
        task=config.task,
        max_error=config.max_error,
    )
    Console().print(table(reports, *action_names(sources)))
    for path, report in reports.items():
        typer.echo(f"{path}: {report.size / 1e6:.1f} MB, differs from the policy by {report.difference.relative:.1e}")
    typer.echo(f"{folder / NAME}.json: what it takes and gives")


def _require_fit(config: ExportConfig, dataset: Described | None, robot: Described | None) -> None:
    problems = [problem for source in (dataset, robot) if source for problem in check_policy(config.policy, source, {})]
    if dataset is not None and robot is not None:
        problems += check_same(dataset, robot)
    if problems:
        raise FeatureMismatchError("\n".join(problems), hint="The names would be those of something else.")


def _folder(config: ExportConfig, now: datetime) -> Path:
    return Path("outputs/export") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{config.policy.type}"
