"""What a run measures: means over the batches since the last report."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


class Meter:
    """Sums up losses and times; tensors stay on their device until they are asked for.

    Args:
        frames_per_step: frames of one batch of all processes.
        frames_per_epoch: frames of the dataset.
    """

    def __init__(self, frames_per_step: int, frames_per_epoch: int) -> None:
        self._frames_per_step = frames_per_step
        self._frames_per_epoch = frames_per_epoch
        self._sums: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._waited_s = 0.0
        self._started = time.perf_counter()
        self._steps = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of the block as waiting for data."""
        started = time.perf_counter()
        yield
        self._waited_s += time.perf_counter() - started

    def add(self, values: Mapping[str, Any]) -> None:
        """Add the measurements of one batch: numbers and tensors of one element; others are left out."""
        self._steps += 1
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                if value.numel() != 1:
                    continue
                value = value.detach().float().reshape(())
            elif not isinstance(value, int | float):
                continue
            self._sums[key] = self._sums.get(key, 0.0) + value
            self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def wait_share(self) -> float:
        """Share of the time that was spent waiting for data."""
        return self._waited_s / max(time.perf_counter() - self._started, 1e-9)

    def report(
        self, step: int, rates: Mapping[str, float], mean: Callable[[torch.Tensor], torch.Tensor]
    ) -> dict[str, float]:
        """Give the means, and start anew.

        Args:
            step: batches so far.
            rates: learning rates.
            mean: averages a tensor `(n,)` over processes, which all measured the same.
        """
        seconds = time.perf_counter() - self._started
        here = torch.tensor([float(value) / self._counts[key] for key, value in self._sums.items()])
        means: dict[str, float] = dict(zip(self._sums, mean(here).tolist(), strict=True))
        frames = step * self._frames_per_step
        means |= {
            **rates,
            "samples": frames,
            "epochs": frames / self._frames_per_epoch,
            "samples_per_s": self._steps * self._frames_per_step / max(seconds, 1e-9),
            "step_s": seconds / max(self._steps, 1),
            "data_wait_share": self.wait_share,
        }
        self._sums, self._counts, self._steps = {}, {}, 0
        self._waited_s, self._started = 0.0, time.perf_counter()
        return means
