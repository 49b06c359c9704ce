"""Optimizer and schedule as files: tensors in safetensors, settings in JSON."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.shards import described, load_shards
from lerobot.training.checkpoints.layout import read_json, unreadable, write_json
from lerobot.training.sharding.tensors import part

logger = logging.getLogger(__name__)

_HOW = ("foreach", "fused")
"""Settings that say how a step is computed, which is this computer's own affair; files hold torch's default."""

TENSORS, GROUPS, SCHEDULER = "optimizer_state.safetensors", "optimizer_param_groups.json", "scheduler_state.json"
PARTS = "optimizer_shards"
"""Folder of the tensors, where processes wrote them together."""


def state_tensors(optimizer: Optimizer) -> dict[str, torch.Tensor]:
    """The tensors of an optimizer's state, by the names they have in files: `state/<parameter>/<name>`.

    Raises:
        CheckpointError: its state holds something that is neither tensor nor None; names it.
    """
    tensors: dict[str, torch.Tensor] = {}
    for index, entries in optimizer.state_dict()["state"].items():
        for name, value in entries.items():
            if isinstance(value, torch.Tensor):
                tensors[f"state/{index}/{name}"] = value
            elif value is not None:
                raise CheckpointError(f"optimizer state {name} is a {type(value).__name__}", expected="a tensor")
    return tensors


def save_optimizer(optimizer: Optimizer, folder: Path, tensors: Mapping[str, torch.Tensor] | None = None) -> None:
    """Write an optimizer's state: its tensors and its groups.

    Args:
        optimizer: the optimizer.
        folder: made if need be; each of several optimizers has one of its own.
        tensors: `state_tensors` as a whole, where processes share them; None to take the optimizer's.

    Raises:
        CheckpointError: see `state_tensors`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = state_tensors(optimizer) if tensors is None else tensors
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, folder / TENSORS)
    save_groups(optimizer, folder)


def save_groups(optimizer: Optimizer, folder: Path) -> None:
    """Write the settings of an optimizer's groups."""
    groups = [
        {key: None if key in _HOW else value for key, value in group.items()}
        for group in optimizer.state_dict()["param_groups"]
    ]
    write_json(folder / GROUPS, groups)


def load_optimizer(optimizer: Optimizer, folder: Path, *, keep_settings: bool = False) -> None:
    """Fill an optimizer with a saved state.

    Settings that only one side knows, as after an update of torch, are left as the optimizer has them.

    Args:
        optimizer: the optimizer.
        folder: of its files.
        keep_settings: leave all settings, such as the rate, as the optimizer has them, and take the moments only.

    Raises:
        CheckpointError: a file is missing or damaged, or it is the state of other parameters.
    """
    groups = read_json(folder / GROUPS)
    fresh = optimizer.state_dict()
    if not isinstance(groups, list) or [g.get("params") for g in groups] != [
        g["params"] for g in fresh["param_groups"]
    ]:
        raise CheckpointError(
            f"{folder / GROUPS} is the state of an optimizer of other parameters",
            expected="parameters grouped as this policy does",
            hint="Resume with the policy and optimizer the checkpoint was made with.",
        )
    in_parts = (folder / PARTS).is_dir()
    tensors = described(folder / PARTS) if in_parts else read_tensors(folder / TENSORS)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        _, index, name = key.split("/", 2)
        state.setdefault(int(index), {})[name] = tensor
    _check_shapes(optimizer, state, folder)
    _lay_out(optimizer, state, empty=in_parts)
    if in_parts:
        load_shards(
            {f"state/{index}/{name}": each for index in state for name, each in state[index].items()}, folder / PARTS
        )
    if not keep_settings:
        pairs = zip(fresh["param_groups"], groups, strict=True)
        fresh["param_groups"] = [_merged(group, saved) for group, saved in pairs]
    optimizer.load_state_dict({"state": state, "param_groups": fresh["param_groups"]})


def _check_shapes(optimizer: Optimizer, state: dict[int, dict[str, torch.Tensor]], folder: Path) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, entries in state.items():
        for name, tensor in entries.items():
            if index >= len(parameters) or (tensor.ndim and tensor.shape != parameters[index].shape):
                raise CheckpointError(
                    f"{folder / TENSORS}: state/{index}/{name} has the shape {tuple(tensor.shape)}",
                    expected=str(tuple(parameters[index].shape)) if index < len(parameters) else "no such parameter",
                )


def _lay_out(optimizer: Optimizer, state: dict[int, dict[str, torch.Tensor]], *, empty: bool) -> None:
    """Give moments the memory layout of their parameters: fused steps go through both without looking at strides.

    Of parameters that processes share, each gets its part.

    Args:
        optimizer: of the parameters.
        state: changed in place.
        empty: its tensors have no memory yet; only make room for them.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, entries in state.items():
        for name, tensor in entries.items():
            if empty:
                like = parameters[index] if tensor.ndim else tensor
                entries[name] = torch.empty_like(like, dtype=tensor.dtype, device="cpu" if not tensor.ndim else None)
            elif tensor.ndim:
                parameter = parameters[index]
                shared = part(tensor, parameter)
                entries[name] = torch.empty_like(parameter, dtype=tensor.dtype, device=shared.device).copy_(shared)


def _merged(group: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(saved) - set(group))
    if unknown:
        logger.warning("the optimizer here does not know %s of the checkpoint", ", ".join(unknown))
    return {key: value if key in _HOW else _like(value, saved.get(key, value)) for key, value in group.items()}


def _like(fresh: Any, saved: Any) -> Any:
    """JSON has no tuples and may write 1 for 1.0."""
    if isinstance(fresh, tuple) and isinstance(saved, list):
        return tuple(saved)
    if isinstance(fresh, float) and isinstance(saved, int) and not isinstance(saved, bool):
        return float(saved)
    return saved


def save_scheduler(scheduler: LRScheduler, folder: Path) -> None:
    """Write a schedule's state."""
    write_json(folder / SCHEDULER, scheduler.state_dict())


def load_scheduler(scheduler: LRScheduler, folder: Path, *, keep_rates: bool = False) -> None:
    """Fill a schedule with a saved state; what only one side knows is left as it is.

    Args:
        scheduler: the schedule.
        folder: of its file.
        keep_rates: take only how far it is, and go there by its own settings.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    saved = read_json(folder / SCHEDULER)
    fresh = scheduler.state_dict()
    if not isinstance(saved, dict) or "last_epoch" not in saved:
        raise CheckpointError(f"{folder / SCHEDULER} is no schedule's state", expected="an object with 'last_epoch'")
    if not keep_rates:
        scheduler.load_state_dict({key: saved.get(key, value) for key, value in fresh.items()})
        return
    with warnings.catch_warnings():
        # No step of the optimizer comes in between: those were made before.
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step", category=UserWarning)
        for _ in range(saved["last_epoch"]):
            scheduler.step()


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error
