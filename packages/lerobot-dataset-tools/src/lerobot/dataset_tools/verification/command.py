"""`lerobot verify-dataset`: one line per finding."""

from collections import Counter

import typer

from lerobot.core.signals import stop_signals
from lerobot.core.words import counted
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.commands.verify_dataset import VerifyDatasetConfig
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.checks.derived import DERIVED
from lerobot.datasets.checks.findings import Finding, Severity

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
    with stop_signals().graceful():
        for finding in verify_dataset(root, pictures=config.pictures):
            typer.echo(str(finding))
            found.append(finding)
    counts = Counter(finding.severity for finding in found)
    said = ", ".join(counted(counts[severity], severity) for severity in _SEVERITIES if counts[severity])
    typer.echo(f"{root}: {said or 'nothing found'}")
    if mended := [check for check in dict.fromkeys(finding.check for finding in found) if check in DERIVED]:
        typer.echo(f"for {', '.join(mended)}: lerobot edit-dataset --root={root} --operation.type=repair")
    return 1 if counts["error"] or (config.strict and counts["warning"]) else 0
