"""A training that an engine starts, in many processes that find each other."""

import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from lerobot.core.durable import replace_text
from lerobot.jobs.launch import launcher
from lerobot.training.checkpoints.layout import TRAIN_CONFIG
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.resume import resumption
from lerobot.training.saved_config import to_launch

logger = logging.getLogger(__name__)


def is_launched(config: TrainPipelineConfig, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether an engine shall start the training: one is named, and this is not one of the processes it started."""
    return config.executor is not None and "RANK" not in environ


def launch(config: TrainPipelineConfig) -> int:
    """Let an engine start the training; its configuration goes there as a file.

    Returns:
        The exit code, 0.

    Raises:
        LeRobotError: the engine cannot start it, or it failed.
    """
    executor = config.executor
    assert executor is not None  # noqa: S101 # see `is_launched`
    now = datetime.now()
    name = config.job_name or config.policy.type
    folder = Path("outputs/launch") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{name}"
    logs = (config.launch.log_folder or folder).absolute()
    if config.resume:
        config = config.model_copy(update={"checkpoint_path": resumption(config).checkpoint})
    file = logs / TRAIN_CONFIG
    replace_text(file, json.dumps(to_launch(config), indent=4))
    engine = launcher(executor.build(), executor.type)
    logger.info("the configuration and what is printed: %s", logs)
    nodes, processes = config.launch.nodes, config.launch.processes_per_node
    engine.launch(["train", f"--config_path={file}"], nodes=nodes, processes_per_node=processes, log_folder=logs)
    return 0
