"""`lerobot verify-dataset`: one line per finding."""

import typer

from lerobot.datasets.commands.verify_dataset import VerifyDatasetConfig
from lerobot.datasets.editing.command import dataset_folder
from lerobot.datasets.verification.verify import verify_dataset


def run(config: VerifyDatasetConfig) -> int:
    """Check a dataset and write what is found.

    Returns:
        0 if nothing was found, 1 otherwise.

    Raises:
        LeRobotError: there is no dataset.
    """
    root = dataset_folder(config.repo_id, config.root)
    found = 0
    for finding in verify_dataset(root, pictures=config.pictures):
        typer.echo(str(finding))
        found += 1
    typer.echo(f"{root}: {found} findings" if found else f"{root}: nothing found")
    return 1 if found else 0
