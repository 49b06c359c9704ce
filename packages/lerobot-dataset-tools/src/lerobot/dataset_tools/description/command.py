"""`lerobot describe-dataset`: JSON for programs, once or request by request."""

import json
import sys
import tempfile
from pathlib import Path

import typer

from lerobot.dataset_tools.commands.describe_dataset import DescribeDatasetConfig
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.description.answers import Answers
from lerobot.dataset_tools.description.recording import Recording


def describe_dataset(config: DescribeDatasetConfig) -> None:
    """Write what a dataset is, or answer requests until the input ends.

    Raises:
        LeRobotError: there is no such dataset or episode, or a file is damaged.
    """
    if config.follow:
        with tempfile.TemporaryDirectory(prefix="lerobot-films-") as folder:
            answers = Answers(Path(folder))
            for line in sys.stdin:
                sys.stdout.write(f"{answers.line(line)}\n")
                sys.stdout.flush()
        return
    recording = Recording(dataset_folder(config.repo_id, config.root))
    told = recording.describe()
    if config.episodes:
        told["numbers"] = [recording.episode(number) for number in config.episodes]
    typer.echo(json.dumps(told, indent=1, allow_nan=False))
