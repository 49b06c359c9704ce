"""Tensors that several processes write together, each its parts, into safetensors files and an index.

Nothing is pickled: where a part belongs stands in the header of its file, as torch writes it for this format.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import INDEX
from lerobot.policies.checkpoint.header import read_header
from lerobot.policies.checkpoint.weights import DTYPES, assign_weights, check_named_weights


def save_shards(tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Write what this process holds of tensors; every process calls this, and waits for the others.

    Args:
        tensors: by name, shared between processes or the same in all.
        folder: made if need be; the same for all processes.

    Raises:
        LeRobotError: this version of torch cannot write such files.
    """
    from torch.distributed.checkpoint.state_dict_saver import save

    folder.mkdir(parents=True, exist_ok=True)
    with _alone():
        save(dict(tensors), storage_writer=_storage().HuggingFaceStorageWriter(str(folder), save_distributed=True))


def write_index(tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Say what a folder holds, once all processes have written to it; one process calls this."""
    names = {str(dtype): name for name, dtype in DTYPES.items()}
    index = {
        "files": {path.name: path.stat().st_size for path in sorted(folder.glob("*.safetensors"))},
        "tensors": {
            name: {"dtype": names[str(tensor.dtype)], "shape": list(tensor.shape)} for name, tensor in tensors.items()
        },
    }
    (folder / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def described(folder: Path) -> dict[str, Tensor]:
    """Say what tensors a folder holds, without memory for them, and that its files are all there and complete.

    Raises:
        CheckpointError: a file is missing, cut off or unknown, or the parts are not whole tensors; names it.
    """
    path = folder / INDEX
    try:
        index: dict[str, Any] = read_json(path)
        files = {str(name): int(size) for name, size in index["files"].items()}
        tensors = {
            str(name): torch.empty(each["shape"], dtype=DTYPES[each["dtype"]], device="meta")
            for name, each in index["tensors"].items()
        }
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise CheckpointError(f"{path} {what}", expected="the index of what processes wrote together") from error
    found = {each.name for each in folder.glob("*.safetensors")}
    if odd := sorted(found ^ set(files)):
        what = "is missing" if odd[0] in files else f"does not belong to {path}"
        raise CheckpointError(
            f"{folder / odd[0]} {what}", hint="Copy the whole folder again, or take another checkpoint."
        )
    numbers = dict.fromkeys(tensors, 0)
    for name, size in files.items():
        if (folder / name).stat().st_size != size:
            raise CheckpointError(
                f"{folder / name} has {(folder / name).stat().st_size} bytes",
                expected=f"{size}, as {path} says",
                hint="Copy the whole folder again, or take another checkpoint.",
            )
        for tensor, entry in read_header(folder / name).tensors.items():
            numbers[tensor] = numbers.get(tensor, 0) + torch.Size(entry["shape"]).numel()
    if wrong := sorted(
        name for name, number in numbers.items() if name not in tensors or tensors[name].numel() != number
    ):
        raise CheckpointError(f"{folder}: the parts of {wrong[0]} are not the whole of it", expected=f"as {path} says")
    return tensors


def load_shards(tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Fill tensors with what a folder holds; those that processes share with the parts each process holds.

    Args:
        tensors: by name; written to, in the type they have.
        folder: as `save_shards` wrote it, with any number of processes.

    Raises:
        CheckpointError: see `described`; or a tensor is missing there, or has another shape.
    """
    from torch.distributed.checkpoint.state_dict_loader import load

    held = described(folder)
    check_named_weights(tensors, {name: held[name] for name in tensors if name in held}, str(folder))
    with _alone():
        load(dict(tensors), storage_reader=_storage().HuggingFaceStorageReader(str(folder)))


def load_sharded_weights(module: nn.Module, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Give a module weights that processes wrote together: everything it needs, and nothing else.

    Args:
        module: what to fill; its parameters may be on the meta device.
        folder: as `save_shards` wrote it.
        dtype: type of floating-point weights; None for those that the module declares.

    Raises:
        CheckpointError: see `load_shards`; or the folder holds more than the module has.
    """
    expected = module.state_dict(keep_vars=True)
    check_named_weights(expected, described(folder), str(folder))
    places: dict[int, Tensor] = {}
    for tensor in expected.values():
        kind = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
        places.setdefault(id(tensor), torch.empty(tensor.shape, dtype=kind))
    weights = {name: places[id(tensor)] for name, tensor in expected.items()}
    load_shards(weights, folder)
    assign_weights(module, weights)


@contextmanager
def _alone() -> Iterator[None]:
    """One process is as good as many; torch would warn."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*in a single process", category=UserWarning)
        yield


def _storage() -> Any:
    try:
        from torch.distributed.checkpoint import hf_storage
    except ImportError as error:
        raise LeRobotError(
            f"torch {torch.__version__} keeps no checkpoints of several processes in safetensors",
            hint="Update torch, or leave --checkpoint_format out: then one process writes everything.",
        ) from error
    return hf_storage
