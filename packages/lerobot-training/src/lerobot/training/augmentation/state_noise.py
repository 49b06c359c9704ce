"""Noise on what the robot measures of itself, so that a policy does not rely on it to the last digit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

_STREAM = 1
"""Sets these random numbers apart from those of pictures."""


class StateNoise:
    """Adds Gaussian noise to the states of batches, drawn from (seed, step, process) and nothing else.

    Args:
        amount: standard deviation, in parts of each number's own.
        deviations: of each state in the dataset, `(Ds,)` by key.
        seed: of the draws.
        rank: this process.
    """

    def __init__(self, amount: float, deviations: Mapping[str, ArrayLike], *, seed: int, rank: int = 0) -> None:
        self._scales = {
            key: torch.as_tensor(amount * np.asarray(deviations[key], np.float32)) for key in sorted(deviations)
        }
        self._seed = seed
        self._rank = rank

    def __call__(self, batch: Mapping[str, Any], step: int) -> dict[str, Any]:
        """Change the states of a batch.

        Args:
            batch: states `(B, Ds)` or `(B, T, Ds)` among other things, which stay.
            step: of the run.
        """
        sequence = np.random.SeedSequence([self._seed, step, self._rank, _STREAM])
        generator = torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0]))
        changed = {}
        for key, scale in self._scales.items():
            if key in batch:
                noise = torch.randn(batch[key].shape, generator=generator) * scale
                changed[key] = batch[key] + noise.to(batch[key])
        return {**batch, **changed}
