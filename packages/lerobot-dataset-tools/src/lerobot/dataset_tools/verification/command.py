"""`lerobot verify-dataset`: one line per finding."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer

from lerobot.core.signals import stop_signals
from lerobot.core.words import counted
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.commands.verify_dataset import VerifyDatasetConfig
from lerobot.dataset_tools.verification.cameras import CheckInShards, ImageCheck, check_here
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.checks.derived import DERIVED
from lerobot.datasets.checks.findings import Finding, Severity
from lerobot.jobs.progress import progress_bar

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def verify_dataset_command(config: VerifyDatasetConfig) -> int:
    """Check a dataset and write what is found.

    Returns:
        1 if there is an error, or with --strict a warning; 0 otherwise.

    Raises:
        LeRobotError: there is no dataset.
    """
    root = dataset_folder(config.repo_id, config.root)
    found: list[Finding] = []
    with stop_signals().graceful(), _check(config, root.name) as check:
        for finding in verify_dataset(root, pictures=config.pictures, check=check):
            found.append(finding)
            if config.format == "text":
                typer.echo(str(finding))
    counts = Counter(finding.severity for finding in found)
    if config.format == "json":
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=1))
    else:
        _sum_up(root, found, counts)
    return 1 if counts["error"] or (config.strict and counts["warning"]) else 0


def _sum_up(root: Path, found: list[Finding], counts: Counter[Severity]) -> None:
    said = ", ".join(counted(counts[severity], severity) for severity in _SEVERITIES if counts[severity])
    typer.echo(f"{root}: {said or 'nothing found'}")
    if mended := [check for check in dict.fromkeys(finding.check for finding in found) if check in DERIVED]:
        typer.echo(f"for {', '.join(mended)}: lerobot edit-dataset --root={root} --operation.type=repair")


@contextmanager
def _check(config: VerifyDatasetConfig, name: str) -> Iterator[ImageCheck]:
    if config.executor is None:
        yield check_here
        return
    with progress_bar(name) as progress:
        yield CheckInShards(config.executor, config.shard_size_in_mb, progress)
