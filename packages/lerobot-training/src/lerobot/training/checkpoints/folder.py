"""The folder of a checkpoint: complete, or not there."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from lerobot.core.durable import flush_folder, move_into_place
from lerobot.core.errors import CheckpointError
from lerobot.core.paths import user_path
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CONFIG, WEIGHTS
from lerobot.training.checkpoints.optimizer_state import read_json, read_tensors, write_json

logger = logging.getLogger(__name__)

MODEL, STATE, LAST, BEST = "pretrained_model", "training_state", "last", "best"
TRAIN_CONFIG, STEP, RANDOM = "train_config.json", "training_step.json", "rng_state.safetensors"
_SCRATCH = ".writing"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: batches each process was trained on.
        num_processes: processes.
        batch_size: frames per batch and process.
        grad_accum_steps: batches per optimizer step.
        best_validation_loss: the smallest so far; None before the first validation.
        num_workers: readers of a streamed dataset, on which its order depends; None elsewhere.
    """

    step: int
    num_processes: int
    batch_size: int
    grad_accum_steps: int = 1
    best_validation_loss: float | None = None
    num_workers: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As in `training_step.json`, with what either version of the peer looks for."""
        fields = {
            "step": self.step,
            "num_processes": self.num_processes,
            "dp_world_size": self.num_processes,
            "batch_size": self.batch_size,
            "grad_accum_steps": self.grad_accum_steps,
            "parallelism": {"dp_replicate": self.num_processes, "dp_shard": 1, "ring_degree": 1, "ulysses_degree": 1},
        }
        own = {"best_validation_loss": self.best_validation_loss, "num_workers": self.num_workers}
        return {**fields, **{key: value for key, value in own.items() if value is not None}}


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
    scratch = target.parent / _SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    aside = scratch / target.name
    state = aside / STATE
    state.mkdir(parents=True)
    for name, policy in policies.items():
        policy.save_pretrained(aside / name)
        write_json(aside / name / TRAIN_CONFIG, config)
    save_state(state)
    write_json(state / STEP, progress.to_json())
    for rank, states in enumerate(generators):
        save_file(dict(states), state / random_file(rank))
    move_into_place(aside, target, scratch)
    point(target.parent / LAST, target)
    shutil.rmtree(scratch, ignore_errors=True)


def random_file(rank: int) -> str:
    """File of a process's random states; the first process's has the name the field knows."""
    return RANDOM if rank == 0 else RANDOM.replace(".", f"_rank_{rank}.")


def point(link: Path, target: Path) -> None:
    """Make a link to a neighbour, or point it elsewhere, in one step."""
    aside = link.with_name(f".{link.name}.new")
    aside.unlink(missing_ok=True)
    try:
        aside.symlink_to(target.name)
    except OSError as error:
        logger.warning("%s cannot be a link here (%s); the newest checkpoint is %s", link, error, target)
        return
    aside.replace(link)
    flush_folder(link.parent)


def find(path: Path) -> Path:
    """Find the checkpoint that a path means: its folder, or one of `pretrained_model` or `train_config.json` in it.

    Raises:
        CheckpointError: there is none, or it is incomplete; names what is missing.
    """
    # Resolved, so that a run that goes on while this one reads does not move `last` to another folder.
    folder = user_path(path).resolve()
    for part in (TRAIN_CONFIG, MODEL):
        folder = folder.parent if folder.name == part else folder
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint {path}", hint="ls outputs/train/*/checkpoints shows what exists")
    weights = ADAPTER_WEIGHTS if (folder / MODEL / ADAPTER_CONFIG).is_file() else WEIGHTS
    for needed in (f"{MODEL}/{CONFIG}", f"{MODEL}/{weights}", f"{STATE}/{STEP}", f"{STATE}/{RANDOM}"):
        if not (folder / needed).is_file():
            raise CheckpointError(
                f"checkpoint {folder} is incomplete: it has no {needed}",
                hint="Resume from another checkpoint of the run.",
            )
    return folder


def read_progress(folder: Path) -> Progress:
    """Read how far a checkpoint is; the peer's files too.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = folder / STATE / STEP
    fields = read_json(path)
    step = fields.get("step") if isinstance(fields, dict) else None
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise CheckpointError(f"{path} does not say the step", expected="an object with 'step'")
    processes = fields.get("dp_world_size") or fields.get("num_processes") or 0
    return Progress(
        step,
        processes,
        fields.get("batch_size") or 0,
        fields.get("grad_accum_steps") or 1,
        fields.get("best_validation_loss"),
        fields.get("num_workers"),
    )


def read_random(folder: Path, rank: int) -> dict[str, Tensor] | None:
    """Random states of a process; None if the checkpoint was made by fewer processes.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / STATE / random_file(rank)
    return read_tensors(path) if path.exists() else None
