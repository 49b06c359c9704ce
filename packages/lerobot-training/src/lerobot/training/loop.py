"""The training loop: the same for one process and for many, and for everything that learns."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from accelerate import Accelerator

from lerobot.core.errors import LeRobotError
from lerobot.training.batches import Batch, frames_of, to_device, with_names
from lerobot.training.learner.protocol import Learner
from lerobot.training.meter import Meter

Augments = Callable[[Batch, int], Batch]
"""Changes a batch at random, by the step of the run."""


class SizedBatches(Protocol):
    """Batches that come to an end."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


class Observer(Protocol):
    """Who is told about a run, in every process."""

    def step_done(self, step: int) -> bool:
        """A batch is done.

        Returns:
            Whether the run shall end here.
        """
        ...


@dataclass(slots=True)
class Training:
    """A learner on its way through batches.

    Attributes:
        accelerator: the processes.
        learner: what is trained.
        batches: batches without end.
        cameras: keys of images.
        numbers: keys of vectors of one number.
        meter: measurements.
        augmentations: what changes batches at random, in turn.
        step: batches done.
        names: what keys of batches are called from here on; others keep their name.
    """

    accelerator: Accelerator
    learner: Learner
    batches: Iterable[Batch]
    cameras: frozenset[str]
    numbers: frozenset[str]
    meter: Meter
    augmentations: Sequence[Augments] = ()
    step: int = 0
    names: Mapping[str, str] = field(default_factory=dict)

    def report(self) -> dict[str, float]:
        """Measurements since the last report, over all processes."""
        accelerator = self.accelerator

        def mean(values: torch.Tensor) -> torch.Tensor:
            reduced: torch.Tensor = accelerator.reduce(values.to(accelerator.device), reduction="mean")
            return reduced.cpu()

        return self.meter.report(self.step, self.learner.rates, mean)

    def run(self, steps: int, observer: Observer) -> None:
        """Train until a number of batches is done, or the observer ends it.

        Args:
            steps: batches in all, those before a resume included.
            observer: told after every batch.
        """
        batches = iter(self.batches)
        self.learner.trained.policy.train()
        while self.step < steps:
            with self.meter.waiting():
                batch = next(batches)
            moved = self._moved(batch)
            for augment in self.augmentations:
                moved = augment(moved, self.step)
            self.meter.add(self.learner.step(moved))
            self.step += 1
            if observer.step_done(self.step):
                break

    def _moved(self, batch: Batch) -> Batch:
        return to_device(with_names(batch, self.names), self.accelerator.device, self.cameras, self.numbers)

    def require_finite(self, loss: float) -> None:
        """Refuse to go on with a loss that is no number.

        Raises:
            LeRobotError: it is none.
        """
        if not math.isfinite(loss):
            raise LeRobotError(
                f"the loss is {loss} around step {self.step}",
                expected="a number",
                hint="Lower --optimizer.lr, and check the dataset: lerobot verify-dataset",
            )

    @torch.no_grad()
    def validate(self, batches: SizedBatches) -> float:
        """Mean loss of held-out frames, over all processes, as the policy acts: without dropout."""
        total = torch.zeros(2, dtype=torch.float64, device="cpu")
        accelerator, own, moved = self.accelerator, len(batches), None
        rounds = int(accelerator.gather(torch.tensor([own], device=accelerator.device)).max())
        waiting = iter(batches)
        with _evaluating(self.learner.evaluated.policy):
            for index in range(rounds):
                # Processes that share a policy call it equally often: who has no more batches takes the last again.
                moved = self._moved(next(waiting)) if index < own else moved
                if moved is None:
                    break
                loss = float(self.learner.validation_loss(moved))
                if index < own:
                    # The last batch may be smaller, and its frames count no more than the others.
                    frames = frames_of(moved)
                    total += torch.tensor([loss * frames, frames], dtype=torch.float64)
        summed = self.accelerator.reduce(total.to(torch.float32).to(self.accelerator.device), reduction="sum")
        return float(summed[0] / summed[1])


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
