"""Pictures shifted at random, so that what is learned from few of them holds for more."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.rl.transition import TransitionBatch


def shifted(pictures: Tensor, pixels: int) -> Tensor:
    """Shift each picture by up to so many pixels each way; what comes in is the colour of the edge.

    Args:
        pictures: `(B, C, H, W)`.
        pixels: the largest shift.

    Source:
        Kostrikov et al. 2020, arXiv:2004.13649 (DrQ).
    """
    count, _, height, width = pictures.shape
    device = pictures.device
    padded = F.pad(pictures, (pixels,) * 4, mode="replicate")
    down, right = torch.randint(0, 2 * pixels + 1, (2, count, 1), device=device)
    rows = down + torch.arange(height, device=device)
    columns = right + torch.arange(width, device=device)
    each = torch.arange(count, device=device)[:, None, None]
    return padded[each, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def with_shifts(batch: TransitionBatch, pixels: int) -> TransitionBatch:
    """Shift the pictures of a batch, those before and after the action each by itself."""
    if not pixels:
        return batch

    def moved(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {key: shifted(value, pixels) if value.ndim == 4 else value for key, value in parts.items()}

    return replace(batch, observation=moved(batch.observation), next_observation=moved(batch.next_observation))
