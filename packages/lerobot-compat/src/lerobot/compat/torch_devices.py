"""Devices of torch, by name."""

import torch

from lerobot.policies.devices import choose_device


def get_safe_torch_device(try_device: str | torch.device, log: bool = False) -> torch.device:
    """The device of a name; where there is none of the kind, the best there is, with a notice.

    Args:
        try_device: `"cuda"`, `"mps"`, `"xpu"` or `"cpu"`.
        log: accepted, and not needed.
    """
    del log
    return choose_device(str(try_device))


def is_torch_device_available(try_device: str) -> bool:
    """Whether there is a device of this kind."""
    kind = str(try_device).partition(":")[0]
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
    }
    return available[kind]
