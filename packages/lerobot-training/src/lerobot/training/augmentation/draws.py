"""Which picture gets which change: drawn from (seed, step, process) and nothing else.

So a resumed run, and one with other workers, sees the pictures it would have seen.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lerobot.training.augmentation import operations
from lerobot.training.augmentation.config import ImageTransformConfig, ImageTransformsConfig, Range

Change = Callable[[Tensor, Mapping[str, Tensor]], Tensor]


class Augmentation:
    """Changes the pictures of batches at random, a window of pictures as one.

    Args:
        config: changes to choose from.
        cameras: keys of the colour pictures.
        seed: of the draws.
        rank: this process.
    """

    def __init__(self, config: ImageTransformsConfig, cameras: Collection[str], *, seed: int, rank: int = 0) -> None:
        chosen = [transform for transform in config.tfs.values() if transform.weight > 0]
        self._ranges: list[dict[str, Range]] = [transform.ranges() for transform in chosen]
        self._changes = [_change(transform) for transform in chosen]
        self._weights = torch.tensor([transform.weight for transform in chosen])
        self._count = min(config.max_num_transforms, len(chosen))
        self._random_order = config.random_order
        self._cameras = sorted(cameras)
        self._seed = seed
        self._rank = rank

    def __call__(self, batch: Mapping[str, Any], step: int) -> dict[str, Any]:
        """Change the pictures of a batch.

        Args:
            batch: pictures `(B, 3, H, W)` or `(B, T, 3, H, W)` float32 in [0, 1] among other things, which stay.
            step: of the run.
        """
        word = int(np.random.SeedSequence([self._seed, step, self._rank]).generate_state(1, np.uint64)[0])
        generator = torch.Generator().manual_seed(word)
        present = [key for key in self._cameras if key in batch]
        return {**batch, **{key: self._changed(batch[key], generator) for key in present}}

    def _changed(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        rows = len(pictures)
        chosen = torch.multinomial(self._weights.expand(rows, -1), self._count, generator=generator)
        chosen = chosen if self._random_order else chosen.sort(dim=1).values
        # Every amount for every picture: what is drawn does not depend on what was chosen.
        amounts = [
            {name: low + (high - low) * torch.rand(rows, generator=generator) for name, (low, high) in ranges.items()}
            for ranges in self._ranges
        ]
        pictures = pictures.clone()
        for turn in chosen.unbind(1):
            for number, change in enumerate(self._changes):
                if len(own := (turn == number).nonzero().flatten()):
                    place = own.to(pictures.device)
                    drawn = {name: values[own].to(pictures.device) for name, values in amounts[number].items()}
                    pictures[place] = change(pictures[place], drawn)
        return pictures


def _change(transform: ImageTransformConfig) -> Change:
    match transform.type:
        case "ColorJitter":
            return _jitter
        case "SharpnessJitter":
            return lambda pictures, amounts: operations.sharpness(pictures, amounts["sharpness"])
        case "RandomAffine":
            return _affine
        case _:
            return lambda pictures, _: pictures


def _jitter(pictures: Tensor, amounts: Mapping[str, Tensor]) -> Tensor:
    for name in ("brightness", "contrast", "saturation", "hue"):
        if name in amounts:
            pictures = getattr(operations, name)(pictures, amounts[name])
    return pictures


def _affine(pictures: Tensor, amounts: Mapping[str, Tensor]) -> Tensor:
    zeros = torch.zeros(len(pictures), device=pictures.device)
    return operations.affine(pictures, *(amounts.get(name, zeros) for name in ("degrees", "right", "down")))
