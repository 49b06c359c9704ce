"""`lerobot verify-dataset`: one line per finding."""

import typer

from lerobot.core.signals import stop_signals
from lerobot.core.words import counted
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.commands.verify_dataset import VerifyDatasetConfig
from lerobot.dataset_tools.verification.verify import verify_dataset
from lerobot.datasets.checks.derived import DERIVED


def verify_dataset_command(config: VerifyDatasetConfig) -> int:
    """Check a dataset and write what is found.

    Returns:
        0 if nothing was found, 1 otherwise.

    Raises:
        LeRobotError: there is no dataset.
    """
    root = dataset_folder(config.repo_id, config.root)
    found: list[str] = []
    with stop_signals().graceful():
        for finding in verify_dataset(root, pictures=config.pictures):
            typer.echo(str(finding))
            found.append(finding.check)
    typer.echo(f"{root}: {counted(len(found), 'finding')}" if found else f"{root}: nothing found")
    if mended := [check for check in dict.fromkeys(found) if check in DERIVED]:
        typer.echo(f"for {', '.join(mended)}: lerobot edit-dataset --root={root} --operation.type=repair")
    return 1 if found else 0
