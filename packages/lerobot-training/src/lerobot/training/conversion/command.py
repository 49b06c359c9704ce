"""What `lerobot convert-dcp` does."""

import logging
import shutil
from pathlib import Path

import torch

from lerobot.core.durable import move_into_place
from lerobot.policies.checkpoint.files import PARTS, WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.shards import load_sharded_weights
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.checkpoint.weights import save_weights
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.checkpoints.layout import policies_in_parts
from lerobot.training.commands.convert_dcp import ConvertDcpConfig

logger = logging.getLogger(__name__)


def convert_dcp(config: ConvertDcpConfig) -> int:
    """Run `lerobot convert-dcp`.

    Returns:
        The exit code, 0.

    Raises:
        CheckpointError: the checkpoint has no parts, or one is missing or damaged; names the file.
    """
    folders = policies_in_parts(config.checkpoint_dir)
    if config.output_dir is not None:
        _write_elsewhere(folders[0], config.output_dir.absolute())
        return 0
    for folder in folders:
        save_weights(_policy_of(folder), folder / WEIGHTS)
        if config.delete_dcp:
            shutil.rmtree(folder / PARTS)
        logger.info("an ordinary policy: %s", folder)
    return 0


def _policy_of(folder: Path) -> PreTrainedPolicy:
    """The policy whose weights lie in parts, on the CPU, in the types it was saved with."""
    config = Checkpoint.at(folder).config()
    with without_weights():
        policy: PreTrainedPolicy = config.build(from_scratch=False)
    dtype = None if config.cast_dtype is None else getattr(torch, config.cast_dtype)
    load_sharded_weights(policy, folder / PARTS, dtype)
    return policy


def _write_elsewhere(folder: Path, target: Path) -> None:
    scratch = target.with_name(f".{target.name}.writing")
    shutil.rmtree(scratch, ignore_errors=True)
    aside = scratch / target.name
    try:
        shutil.copytree(folder, aside, ignore=shutil.ignore_patterns(PARTS, WEIGHTS))
        save_weights(_policy_of(folder), aside / WEIGHTS)
        move_into_place(aside, target, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    logger.info("an ordinary policy: %s", target)
