"""Writing a checkpoint: complete, or not there."""

import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from lerobot.core.durable import flush_folder, move_into_place
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.training.checkpoints.layout import (
    LAST,
    RANDOM,
    STATE,
    STEP,
    TRAIN_CONFIG,
    Progress,
    write_json,
)
from lerobot.training.checkpoints.optimizer_state import read_tensors

logger = logging.getLogger(__name__)

_SCRATCH = ".writing"


def checkpoint_name(step: int, total_steps: int) -> str:
    """Name of a checkpoint's folder: `000200`."""
    return str(step).zfill(max(6, len(str(total_steps))))


def save(
    target: Path,
    policies: Mapping[str, PolicyWithProcessors],
    save_state: Callable[[Path], None],
    progress: Progress,
    generators: Sequence[Mapping[str, Tensor]],
    config: Any,
) -> None:
    """Write a checkpoint aside, flush it to the disk, give it its name, and point `last` at it.

    Args:
        target: its folder, inside the run's folder of checkpoints.
        policies: policies by their folder's name; one is `pretrained_model`.
        save_state: writes into a folder all else that going on needs.
        progress: how far it is.
        generators: random states, one mapping per process.
        config: contents of `train_config.json`.
    """
    write(target, policies, save_state, progress, generators, config)
    finish(target)


def aside_of(target: Path) -> Path:
    """Where a checkpoint is written before it has its name."""
    return target.parent / _SCRATCH / target.name


def write(
    target: Path,
    policies: Mapping[str, PolicyWithProcessors],
    save_state: Callable[[Path], None],
    progress: Progress,
    generators: Sequence[Mapping[str, Tensor]],
    config: Any,
) -> None:
    """Write a checkpoint aside; see `save` and `finish`."""
    aside = aside_of(target)
    shutil.rmtree(aside.parent, ignore_errors=True)
    state = aside / STATE
    state.mkdir(parents=True)
    for name, policy in policies.items():
        policy.save_pretrained(aside / name)
        write_json(aside / name / TRAIN_CONFIG, config)
    save_state(state)
    write_json(state / STEP, progress.to_json())
    for rank, states in enumerate(generators):
        save_file(dict(states), state / random_file(rank))


def finish(target: Path) -> None:
    """Flush to the disk what was written aside, give it its name, and point `last` at it."""
    aside = aside_of(target)
    move_into_place(aside, target, aside.parent)
    point(target.parent / LAST, target)
    shutil.rmtree(aside.parent, ignore_errors=True)


def random_file(rank: int) -> str:
    """File of a process's random states; the first process's has the name the field knows."""
    return RANDOM if rank == 0 else RANDOM.replace(".", f"_rank_{rank}.")


def point(link: Path, target: Path) -> None:
    """Make a link to another folder, or point it elsewhere, in one step."""
    aside = link.with_name(f".{link.name}.new")
    aside.unlink(missing_ok=True)
    try:
        aside.symlink_to(os.path.relpath(target, link.parent))
    except OSError as error:
        logger.warning("%s cannot be a link here (%s); the newest checkpoint is %s", link, error, target)
        return
    aside.replace(link)
    flush_folder(link.parent)


def read_random(folder: Path, rank: int) -> dict[str, Tensor] | None:
    """Random states of a process; None if the checkpoint was made by fewer processes.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / STATE / random_file(rank)
    return read_tensors(path) if path.exists() else None
