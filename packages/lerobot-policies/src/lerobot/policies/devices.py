"""Which device a policy runs on."""

import logging
from functools import cache

import torch
from torch import nn

from lerobot.core.errors import LeRobotError

_FUSED = {"cpu", "cuda", "mps", "xpu"}
"""Devices on which torch has fused steps of its optimizers."""

logger = logging.getLogger(__name__)


def choose_device(asked: str | None) -> torch.device:
    """Choose a device, and say which one whenever it is not simply the one that was asked for.

    Args:
        asked: `"cuda"`, `"cuda:1"`, `"mps"`, `"xpu"`, `"cpu"`; None for the best there is.

    Raises:
        LeRobotError: there is no such kind of device.
    """
    if asked is None:
        best = best_device()
        _tell(logging.INFO, f"device: {best}, the best there is here")
        return best
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise LeRobotError(f"device {asked!r} is unknown", expected="cuda, cuda:1, mps, xpu or cpu") from error
    if _available(device):
        return device
    best = best_device()
    _tell(logging.WARNING, f"device {asked!r} is not available here; using {best}")
    return best


@cache
def _tell(level: int, text: str) -> None:
    """Say it once: several parts of a program choose, each for itself."""
    logger.log(level, text)


def best_device() -> torch.device:
    """The fastest kind of device there is here."""
    return next(device for name in ("cuda", "mps", "xpu", "cpu") if _available(device := torch.device(name)))


def _available(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    if device.type == "xpu":
        return torch.xpu.is_available()
    return device.type in {"cpu", "meta"}


def has_fused_steps(module: nn.Module) -> bool | None:
    """Whether an optimizer may read and write every weight once instead of a dozen times; None: torch shall choose."""
    learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return True if all(each.device.type in _FUSED and each.is_floating_point() for each in learned) else None
