"""How much memory the weights of a saved policy take, and how much there is."""

from pathlib import Path

import torch

from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.policy import PreTrainedPolicy

_MEMINFO = Path("/proc/meminfo")


def weights_line(config: PreTrainedConfig) -> tuple[str, bool]:
    """Describe the weights of a saved policy as they will be in memory.

    Args:
        config: of a policy whose files are in order.

    Returns:
        Number, types and bytes, beside the memory that is free where that is known; and whether it is enough.
    """
    weights = PreTrainedPolicy.check_pretrained(config).state_dict().values()
    asked = None if config.cast_dtype is None else getattr(torch, config.cast_dtype)
    dtypes = [asked if asked is not None and each.is_floating_point() else each.dtype for each in weights]
    needed = sum(each.numel() * dtype.itemsize for each, dtype in zip(weights, dtypes, strict=True))
    device = choose_device(config.device)
    free = _free(device)
    types = ", ".join(sorted({str(dtype).removeprefix("torch.") for dtype in dtypes}))
    line = f"{sum(each.numel() for each in weights):,} weights, {types}: {_size(needed)} of memory"
    return f"{line}; {_size(free)} are free on {device}" if free is not None else line, free is None or needed <= free


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu" or not _MEMINFO.exists():
        return None
    line = next((line for line in _MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:")), None)
    return None if line is None else 1024 * int(line.split()[1])


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e9:.2f} GB" if bytes_ >= 1e8 else f"{bytes_ / 1e6:.2f} MB"
