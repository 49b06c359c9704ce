"""What stands where in a checkpoint, and how far it is; nothing here needs torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core import json_file
from lerobot.core.errors import CheckpointError
from lerobot.core.paths import user_path
from lerobot.policies.checkpoint.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CONFIG, INDEX, PARTS, WEIGHTS

MODEL, STATE, LAST, BEST = "pretrained_model", "training_state", "last", "best"
_PICKLED = "pytorch_model_fsdp_0"
"""Where huggingface/lerobot keeps parts, with an index that can only be unpickled."""
TRAIN_CONFIG, STEP, RANDOM = "train_config.json", "training_step.json", "rng_state.safetensors"


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
        dp_shard: processes that held a model together.
    """

    step: int
    num_processes: int
    batch_size: int
    grad_accum_steps: int = 1
    best_validation_loss: float | None = None
    num_workers: int | None = None
    dp_shard: int = 1

    def to_json(self) -> dict[str, Any]:
        """As in `training_step.json`, with what either version of the peer looks for."""
        fields = {
            "step": self.step,
            "num_processes": self.num_processes,
            "dp_world_size": self.num_processes,
            "batch_size": self.batch_size,
            "grad_accum_steps": self.grad_accum_steps,
            "parallelism": {
                "dp_replicate": self.num_processes // self.dp_shard,
                "dp_shard": self.dp_shard,
                "ring_degree": 1,
                "ulysses_degree": 1,
            },
        }
        own = {"best_validation_loss": self.best_validation_loss, "num_workers": self.num_workers}
        return {**fields, **{key: value for key, value in own.items() if value is not None}}


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
    if not (folder / MODEL / weights).is_file() and (folder / MODEL / PARTS).is_dir():
        weights = f"{PARTS}/{INDEX}"
    for needed in (f"{MODEL}/{CONFIG}", f"{MODEL}/{weights}", f"{STATE}/{STEP}", f"{STATE}/{RANDOM}"):
        if not (folder / needed).is_file():
            raise CheckpointError(
                f"checkpoint {folder} is incomplete: it has no {needed}",
                hint="Resume from another checkpoint of the run.",
            )
    return folder


def policies_in_parts(folder: Path) -> list[Path]:
    """Find the policies of a checkpoint whose weights its processes wrote together, the one that was trained first.

    Args:
        folder: of the checkpoint, or of one of these policies.

    Raises:
        CheckpointError: there are none.
    """
    place = user_path(folder).resolve()
    names = ("", MODEL, f"{MODEL}_ema")
    found = [place / name for name in names if (place / name / PARTS).is_dir()]
    if not found:
        pickled = [*place.glob(f"{_PICKLED}/.metadata"), *place.glob(f"{MODEL}/{_PICKLED}/.metadata")]
        raise CheckpointError(
            f"{folder} {'holds no parts of a policy' if place.is_dir() else 'does not exist'}",
            expected="a checkpoint of lerobot train --checkpoint_format=dcp",
            hint=f"{pickled[0]} is pickled, and not opened here: convert it with the program that wrote it."
            if pickled
            else "",
        )
    return found


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


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return json_file.read_json(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file of a checkpoint."""
    path.write_text(json.dumps(content, indent=4), encoding="utf-8")


def unreadable(path: Path, error: Exception) -> CheckpointError:
    """The error for a file of a checkpoint."""
    what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
    return CheckpointError(f"{path} {what}", hint="Resume from another checkpoint of the run.")
