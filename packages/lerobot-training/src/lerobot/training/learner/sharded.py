"""Learning from demonstrations by a policy that no process holds as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import PARTS
from lerobot.policies.checkpoint.shards import save_shards, write_index
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.checkpoints.layout import STATE
from lerobot.training.checkpoints.optimizer_state import PARTS as OPTIMIZER_PARTS
from lerobot.training.checkpoints.optimizer_state import save_groups, save_optimizer, state_tensors
from lerobot.training.config import CheckpointFormat, EMAConfig, FSDPConfig
from lerobot.training.learner.supervised import SupervisedLearner
from lerobot.training.sharding.model import assembled, share, skeleton, synchronise
from lerobot.training.sharding.tensors import gathered


class _WithoutWeights(PolicyWithProcessors):
    """A policy whose weights are saved elsewhere."""

    def save_pretrained(self, folder: str | Path) -> None:
        """Save processors and configuration."""
        self.processors.save_pretrained(folder)
        self.policy.save_config(Path(folder))


class ShardedLearner(SupervisedLearner):
    """Minimises a loss as `SupervisedLearner` does, with a part of the weights in each process.

    Args:
        accelerator: the processes.
        trained: the policy, whole and the same in every process, and its processors.
        optimizer: settings of the optimizer.
        scheduler: settings of its schedule; None for constant rates.
        total_steps: batches of the whole run.
        ema: of the average of the weights.
        mesh: which process holds what.
        fsdp: what is gathered at once.
        format: whether a checkpoint holds whole weights, what each process holds of them, or both.

    Raises:
        LeRobotError: the policy cannot be shared.
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
        mesh: DeviceMesh,
        fsdp: FSDPConfig,
        format: CheckpointFormat = "safetensors",  # noqa: A002 - its name in the configuration
    ) -> None:
        self._mesh, self._fsdp, self._format = mesh, fsdp, format
        self._skeletons: dict[str, PreTrainedPolicy] = {}
        self._whole: dict[str, PolicyWithProcessors] | None = None
        self._moments: dict[str, Tensor] = {}
        super().__init__(accelerator, trained, optimizer, scheduler, total_steps=total_steps, ema=ema)

    def _shared(self, policy: PreTrainedPolicy) -> nn.Module:
        self._skeletons = {name: skeleton(each.policy) for name, each in super().checkpointed.items()}
        for each in super().checkpointed.values():
            share(each.policy, self._mesh, self._fsdp)
        return policy

    @property
    def checkpointed(self) -> dict[str, PolicyWithProcessors]:
        """See `Learner.checkpointed`; inside of `whole` they are whole, in the first process."""
        return super().checkpointed if self._whole is None else self._whole

    @contextmanager
    def whole(self, *, acting: bool = False, final: bool = False) -> Iterator[None]:
        """See `Learner.whole`; where each process writes its parts, only the last policy is brought together."""
        if not acting and not final and self._format == "dcp":
            self._whole = {
                name: _WithoutWeights(each.policy, each.processors) for name, each in super().checkpointed.items()
            }
            try:
                yield
            finally:
                self._whole = None
            return
        keep = self._accelerator.is_main_process
        device = self._accelerator.device if acting else torch.device("cpu")
        found = {}
        for name, each in super().checkpointed.items():
            policy = assembled(each.policy, self._skeletons[name], device, keep=keep)
            if policy is not None:
                found[name] = PolicyWithProcessors(policy, each.processors)
        if not acting and self._format == "safetensors":
            self._moments = gathered(state_tensors(self.optimizer), device, keep=keep)
        self._whole = found
        try:
            yield
        finally:
            self._whole, self._moments = None, {}

    def _save_optimizer(self, folder: Path) -> None:
        if self._format == "safetensors":
            save_optimizer(self.optimizer, folder, self._moments)
        else:
            save_groups(self.optimizer, folder)

    def _average_state(self) -> dict[str, Any]:
        if self._format == "safetensors" or self.average is None:
            return super()._average_state()
        return self.average.state_dict(None)

    def save_parts(self, folder: Path) -> None:
        """See `Learner.save_parts`."""
        if self._format == "safetensors":
            return
        held = {folder / name / PARTS: each.policy.state_dict() for name, each in super().checkpointed.items()}
        held[folder / STATE / OPTIMIZER_PARTS] = state_tensors(self.optimizer)
        for place, tensors in held.items():
            save_shards(tensors, place)
            if self._accelerator.is_main_process:
                write_index(tensors, place)

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """See `SupervisedLearner.step`."""
        synchronise([*self.trained.policy.buffers()])
        return super().step(batch)

    def validation_loss(self, batch: dict[str, Any]) -> Tensor:
        """See `SupervisedLearner.validation_loss`; every process gives as many batches."""
        loss = super().validation_loss(batch)
        # What the policy itself gathers waits for a backward pass, which does not come.
        cast("FSDPModule", self.evaluated.policy).reshard()
        return loss
