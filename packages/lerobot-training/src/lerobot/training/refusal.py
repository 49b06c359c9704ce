"""What `lerobot train` refuses from its configuration alone, before torch is imported."""

import os
from pathlib import Path

from lerobot.core.errors import LeRobotError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.datasets.format.layout import INFO_PATH
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.training.checkpoints.layout import LAST, MODEL, TRAIN_CONFIG, policies_in_parts
from lerobot.training.commands.convert_dcp import ConvertDcpConfig
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import EpisodesConfig
from lerobot.training.resume import resumption


def refuse(config: TrainPipelineConfig) -> None:
    """Refuse a run that cannot begin or go on.

    Raises:
        LeRobotError: its folder is taken, it is finished, or a dataset or the teacher is nowhere.
    """
    if config.resume:
        resumption(config)
    elif config.output_dir is not None and os.environ.get("RANK", "0") == "0":
        # Of several processes only the first one looks: it may be quicker, and have made the folder already.
        require_new(config.output_dir)
    for dataset in (config.dataset, *config.dataset.mix_with):
        _require(dataset)
    if config.teacher is not None:
        Checkpoint.at(config.teacher.path, config.teacher.revision).config()


def refuse_conversion(config: ConvertDcpConfig) -> None:
    """Refuse a conversion of nothing, or into a folder that is taken.

    Raises:
        LeRobotError: it is one.
    """
    policies_in_parts(config.checkpoint_dir)
    if config.output_dir is not None and is_taken(config.output_dir):
        raise LeRobotError(f"{config.output_dir.absolute()} exists already", expected="a new --output_dir")


def is_taken(folder: Path) -> bool:
    """Whether a folder holds anything that a new run would mix with its own."""
    return folder.is_dir() and any(folder.iterdir())


def require_new(folder: Path) -> None:
    """Refuse a folder that is taken.

    Raises:
        LeRobotError: it is.
    """
    if is_taken(folder):
        raise taken(folder)


def taken(folder: Path) -> LeRobotError:
    """The error for a folder that is taken."""
    place = folder.absolute()
    return LeRobotError(
        f"{place} exists already",
        hint="Choose another --output_dir, or go on with: --resume=true "
        f"--config_path={place / 'checkpoints' / LAST / MODEL / TRAIN_CONFIG}",
    )


def _require(dataset: EpisodesConfig) -> None:
    root = None if dataset.root is None else user_path(dataset.root)
    if ((root or lerobot_home() / dataset.repo_id) / INFO_PATH).exists():
        return
    # Only here: what is on this computer needs no network library.
    from lerobot.datasets.hub.pull import fetch_metadata

    fetch_metadata(dataset.repo_id, root, dataset.revision)
