"""How much each action of the previous chunk counts for the new one."""

import math

import torch
from torch import Tensor

from lerobot.core.config.rtc import Schedule


def prefix_weights(schedule: Schedule, start: int, end: int, total: int) -> Tensor:
    """Give the weights of a chunk's actions, `(total,)` float32 on the CPU.

    Args:
        schedule: what comes between `start` and `end`.
        start: actions before it count fully, because they are executed in any case; at most `end`.
        end: actions from it on do not count.
        total: actions of the chunk.

    Source:
        Black, Galliker and Levine 2025, arXiv:2506.07339, equation 5, which is EXP.
    """
    end = min(end, total)
    start = min(start, end)
    weights = torch.zeros(total, device="cpu")
    weights[:start] = 1.0
    if schedule == "ONES":
        weights[:end] = 1.0
    if schedule in {"LINEAR", "EXP"}:
        falling = torch.linspace(1, 0, end - start + 2, device="cpu")[1:-1]
        weights[start:end] = falling if schedule == "LINEAR" else falling * torch.expm1(falling) / (math.e - 1)
    return weights
