"""The training loop: the same for one process and for many."""

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from accelerate import Accelerator

from lerobot.core.errors import LeRobotError
from lerobot.training.augmentation.draws import Augmentation
from lerobot.training.batches import Batch, to_device
from lerobot.training.checkpoints.folder import Learner
from lerobot.training.meter import Meter


class Observer(Protocol):
    """Who is told about a run, in every process."""

    def step_done(self, step: int) -> bool:
        """A batch is done, and after an optimizer step everything is at rest.

        Returns:
            Whether the run shall end here.
        """
        ...


@dataclass(slots=True)
class Training:
    """A policy being trained.

    Attributes:
        accelerator: the processes.
        learner: what is trained.
        model: the policy as all processes share it.
        optimizer: the optimizer as all processes share it.
        batches: batches without end.
        cameras: keys of pictures.
        grad_clip_norm: largest norm of the gradients; 0 or less for none.
        meter: measurements.
        augmentation: changes pictures; None to leave them.
        step: batches done.
    """

    accelerator: Accelerator
    learner: Learner
    model: Any
    optimizer: Any
    batches: Iterable[Batch]
    cameras: frozenset[str]
    grad_clip_norm: float
    meter: Meter
    augmentation: Augmentation | None = None
    step: int = 0
    _at_rest: bool = field(default=True, init=False)

    @property
    def at_rest(self) -> bool:
        """Whether no gradients wait for more batches."""
        return self._at_rest

    @property
    def lr(self) -> float:
        """Learning rate of the first group."""
        return float(self.learner.optimizer.param_groups[0]["lr"])

    def report(self) -> dict[str, float]:
        """Measurements since the last report, over all processes."""
        accelerator = self.accelerator

        def mean(values: torch.Tensor) -> torch.Tensor:
            reduced: torch.Tensor = accelerator.reduce(values.to(accelerator.device), reduction="mean")
            return reduced.cpu()

        return self.meter.report(self.step, self.lr, mean)

    def run(self, steps: int, observer: Observer) -> None:
        """Train until a number of batches is done, or the observer ends it.

        Args:
            steps: batches in all, those before a resume included.
            observer: told after every batch.
        """
        batches = iter(self.batches)
        self.model.train()
        while self.step < steps:
            with self.meter.waiting():
                batch = next(batches)
            self.meter.add(self._learn(self._prepared(batch, self.augmentation)))
            self.step += 1
            if observer.step_done(self.step):
                break

    def _prepared(self, batch: Batch, augmentation: Augmentation | None = None) -> Batch:
        moved = to_device(batch, self.accelerator.device, self.cameras)
        if augmentation is not None:
            moved = augmentation(moved, self.step)
        return self.learner.trained.processors.preprocessor(moved)  # type: ignore[no-any-return]

    def _learn(self, batch: Batch) -> dict[str, Any]:
        measured: dict[str, Any] = {}
        with self.accelerator.accumulate(self.model):
            with self.accelerator.autocast():
                loss, parts = self.model(batch)
            self.accelerator.backward(loss)
            self._at_rest = self.accelerator.sync_gradients
            if self._at_rest:
                self.accelerator.unscale_gradients()
                limit = self.grad_clip_norm if self.grad_clip_norm > 0 else math.inf
                measured["grad_norm"] = clip_gradients(self.model.parameters(), limit)
            self.optimizer.step()
            self._step_schedule()
            self.optimizer.zero_grad()
        if self._at_rest:
            self.learner.trained.policy.update()
        if self._at_rest and self.learner.average is not None:
            self.learner.average.update()
        return {"loss": loss, **{key: value for key, value in (parts or {}).items() if key != "loss"}, **measured}

    def _step_schedule(self) -> None:
        if self.learner.scheduler is not None:
            with warnings.catch_warnings():
                # Schedules count batches, as published; while gradients gather, no optimizer step came before.
                warnings.filterwarnings("ignore", message=".*lr_scheduler.step", category=UserWarning)
                self.learner.scheduler.step()

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
    def validate(self, batches: Iterable[Batch]) -> float:
        """Mean loss of held-out frames, over all processes, as the policy acts: without dropout."""
        total = torch.zeros(2, dtype=torch.float64, device="cpu")
        policy = self.learner.trained.policy
        with _evaluating(policy):
            for batch in batches:
                prepared = self._prepared(batch)
                with self.accelerator.autocast():
                    loss, _ = policy(prepared)
                frames = len(next(value for value in prepared.values() if isinstance(value, torch.Tensor)))
                total += torch.tensor([float(loss) * frames, frames], dtype=torch.float64)
        summed = self.accelerator.reduce(total.to(torch.float32).to(self.accelerator.device), reduction="sum")
        return float(summed[0] / summed[1])


def clip_gradients(parameters: Iterable[torch.nn.Parameter], limit: float) -> torch.Tensor:
    """Scale gradients down to a norm, as `torch.nn.utils.clip_grad_norm_` does.

    On a CPU they are not touched where they are short enough: torch would multiply each by 1.

    Args:
        parameters: those with gradients, and others.
        limit: largest norm of all gradients together.

    Returns:
        The norm there was, a scalar.
    """
    learned = [parameter for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(parameter.grad for parameter in learned if parameter.grad is not None)
    # A GPU multiplies in less time than it takes to hear what the norm is.
    if norm.device.type != "cpu" or not norm + 1e-6 <= limit:
        torch.nn.utils.clip_grads_with_norm_(learned, limit, norm)
    return norm


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
