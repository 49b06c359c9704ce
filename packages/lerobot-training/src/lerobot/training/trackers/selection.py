"""Which trackers a run has: those whose library is installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lerobot.core.extras import require
from lerobot.core.hooks import Hooks
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.trackers.console import ConsoleTracker
from lerobot.training.trackers.table import CsvTracker

METRICS = "metrics.csv"


def register_trackers(
    hooks: Hooks, config: TrainPipelineConfig, folder: Path, step: int, settings: Mapping[str, Any]
) -> None:
    """Register log lines, `metrics.csv`, TensorBoard if it is installed, and Weights & Biases if it is wished.

    Args:
        hooks: hooks of the run.
        config: its configuration.
        folder: its folder.
        step: step it goes on from.
        settings: its configuration as plain data.

    Raises:
        LeRobotError: Weights & Biases is wished and not installed.
    """
    hooks.register(ConsoleTracker(), "console")
    hooks.register(CsvTracker(folder / METRICS, step), "csv")
    if find_spec("tensorboard") is not None:
        from lerobot.training.trackers.tensorboard import TensorBoardTracker

        hooks.register(TensorBoardTracker(folder / "tensorboard", step), "tensorboard")
    if config.wandb.enable:
        require("wandb", extra="wandb", needed_by="--wandb.enable", distribution="lerobot-training")
        from lerobot.training.trackers.wandb import WandBTracker

        tags = [f"policy:{config.policy.type}", f"dataset:{config.dataset.repo_id}", f"seed:{config.seed}"]
        hooks.register(WandBTracker(config.wandb, folder, config.job_name or folder.name, tags, settings), "wandb")
