"""Learning from demonstrations: one loss, one optimizer, one schedule."""

import importlib
import math
import pickle
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.core.errors import CheckpointError
from lerobot.core.signals import check_stop, stop_signals
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import PARTS
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.checkpoints.layout import MODEL, read_json, write_json
from lerobot.training.checkpoints.optimizer_state import (
    load_optimizer,
    load_scheduler,
    save_optimizer,
    save_scheduler,
)
from lerobot.training.config import EMAConfig, PruneConfig
from lerobot.training.learner.average import WeightAverage
from lerobot.training.learner.gradients import clip_gradients
from lerobot.training.pruning import Pruning

AVERAGED, SCALER, AVERAGE = "pretrained_model_ema", "scaler.json", "ema_state.pt"
COMPILER_LOADS_S = 60.0
"""Longest time that loading torch's compiler may take before a signal interrupts it all the same."""


class SupervisedLearner:
    """Minimises the loss that a policy's `forward` gives; see `Learner`.

    Args:
        accelerator: the processes, which share gradients.
        trained: the policy, on its device, and its processors.
        optimizer: settings of the optimizer.
        scheduler: settings of its schedule; None for constant rates.
        total_steps: batches of the whole run.
        ema: of the average of the weights.
        prune: which weights become zero; None: none.

    Raises:
        LeRobotError: the policy has nothing of the kind that shall become zero.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        trained: PolicyWithProcessors,
        optimizer: OptimizerConfig,
        scheduler: SchedulerConfig | None,
        *,
        total_steps: int,
        ema: EMAConfig,
        prune: PruneConfig | None = None,
    ) -> None:
        self.trained = trained
        self.at_rest = True
        _load_compiler()
        self._pruning = None if prune is None else Pruning(prune, trained.policy, trained.policy.name)
        # A copy of the policy as it is: what shares it between processes must not be copied.
        self.average = WeightAverage(ema, trained.policy) if ema.enable else None
        self._accelerator = accelerator
        self._model = self._shared(trained.policy)
        self.optimizer: torch.optim.Optimizer = optimizer.build(policy=trained.policy)
        self.scheduler = (
            None if scheduler is None else scheduler.build(optimizer=self.optimizer, total_steps=total_steps)
        )
        self._limit = optimizer.grad_clip_norm if optimizer.grad_clip_norm > 0 else math.inf
        self._evaluates_average = ema.use_for_eval
        self._shared_optimizer = accelerator.prepare(self.optimizer)

    def _shared(self, policy: PreTrainedPolicy) -> nn.Module:
        """Let processes share what the policy learns; gives what is called to learn."""
        model: nn.Module = self._accelerator.prepare(policy)
        return model

    @property
    def evaluated(self) -> PolicyWithProcessors:
        """The average of the weights, if it is kept and wished."""
        averaged = self.average is not None and self._evaluates_average
        return self.checkpointed[AVERAGED if averaged else MODEL]

    @property
    def checkpointed(self) -> dict[str, PolicyWithProcessors]:
        """The policy, and the average of its weights if it is kept."""
        if self.average is None:
            return {MODEL: self.trained}
        return {MODEL: self.trained, AVERAGED: PolicyWithProcessors(self.average.policy, self.trained.processors)}

    @property
    def rates(self) -> dict[str, float]:
        """Learning rate of the first group."""
        return {"lr": float(self.optimizer.param_groups[0]["lr"])}

    def whole(self, *, acting: bool = False, final: bool = False) -> AbstractContextManager[None]:
        """See `Learner.whole`: every process has everything."""
        del acting, final
        return nullcontext()

    def save_parts(self, folder: Path) -> None:
        """See `Learner.save_parts`: the first process has written everything."""

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add a batch's gradients; once as many as wished are gathered, follow them."""
        prepared = self.trained.processors.preprocessor(batch)
        measured: dict[str, Any] = {}
        with self._accelerator.accumulate(self._model):
            with self._accelerator.autocast():
                loss, parts = self._model(prepared)
            self._accelerator.backward(loss)
            self.at_rest = self._accelerator.sync_gradients
            if self.at_rest:
                self._accelerator.unscale_gradients()
                measured["grad_norm"] = clip_gradients(self._model.parameters(), self._limit)
            self._shared_optimizer.step()
            self._step_schedule()
            self._shared_optimizer.zero_grad()
        if self.at_rest:
            measured |= self._follow()
        return {"loss": loss, **{key: value for key, value in (parts or {}).items() if key != "loss"}, **measured}

    def _follow(self) -> dict[str, float]:
        """Do what follows every step of the optimizer; gives what is measured of it."""
        if self._pruning is not None:
            self._pruning.step()
        self.trained.policy.update()
        if self.average is not None:
            self.average.update(self.trained.policy)
            if self._pruning is not None:
                # Else what has just become zero would fade there for a long time.
                self._pruning.apply(self.average.policy)
        return {} if self._pruning is None else {"pruned": self._pruning.share}

    def _step_schedule(self) -> None:
        if self.scheduler is None:
            return
        if self.at_rest and self._accelerator.scaler is None:
            self.scheduler.step()
            return
        with warnings.catch_warnings():
            # Schedules count batches, as published; while gradients gather, no optimizer step came before.
            warnings.filterwarnings("ignore", message=".*lr_scheduler.step", category=UserWarning)
            self.scheduler.step()

    def validation_loss(self, batch: dict[str, Any]) -> Tensor:
        """The policy's loss."""
        with self._accelerator.autocast():
            loss, _ = self.evaluated.policy(self.trained.processors.preprocessor(batch))
        found: Tensor = loss
        return found

    def save_state(self, folder: Path) -> None:
        """Write optimizer, schedule, scale of half precision, average, and which weights are zero."""
        self._save_optimizer(folder)
        if self._pruning is not None:
            self._pruning.save(folder)
        if self.scheduler is not None:
            save_scheduler(self.scheduler, folder)
        if self._accelerator.scaler is not None:
            write_json(folder / SCALER, self._accelerator.scaler.state_dict())
        if self.average is not None:
            torch.save(self._average_state(), folder / AVERAGE)

    def _average_state(self) -> dict[str, Any]:
        return {} if self.average is None else self.average.state_dict(self.checkpointed[AVERAGED].policy)

    def _save_optimizer(self, folder: Path) -> None:
        save_optimizer(self.optimizer, folder)

    def load_state(self, folder: Path, step: int, *, new_settings: bool) -> None:
        """Fill optimizer, schedule, scale, average, and which weights are zero."""
        if self._pruning is not None:
            self._pruning.load(folder)
        load_optimizer(self.optimizer, folder, keep_settings=new_settings)
        if self.scheduler is not None:
            load_scheduler(self.scheduler, folder, keep_rates=new_settings)
        if self._accelerator.scaler is not None and (folder / SCALER).exists():
            self._accelerator.scaler.load_state_dict(read_json(folder / SCALER))
        if self.average is not None:
            parts = folder.parent / AVERAGED / PARTS
            self.average.load_state_dict(_read_average(folder / AVERAGE), parts if parts.is_dir() else None)
        self.trained.policy.resume(step)


def _load_compiler() -> None:
    """Load what torch's optimizers load when the first is made.

    Triton, which belongs to it, ends the whole process without a word of ours if its import is interrupted.
    """
    with stop_signals().shielded(COMPILER_LOADS_S):
        importlib.import_module("torch._dynamo")
    check_stop()


def _read_average(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise CheckpointError(
            f"{path} {what}", expected="the average of the weights, because --ema.enable is true"
        ) from error
    return state
