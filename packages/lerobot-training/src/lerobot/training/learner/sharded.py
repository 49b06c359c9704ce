"""Learning from demonstrations by a policy that no process holds as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.checkpoints.optimizer_state import state_tensors
from lerobot.training.config import EMAConfig, FSDPConfig
from lerobot.training.learner.supervised import SupervisedLearner
from lerobot.training.sharding.model import assembled, share, skeleton, synchronise
from lerobot.training.sharding.tensors import gathered


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
    ) -> None:
        self._mesh, self._fsdp = mesh, fsdp
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
    def whole(self, *, acting: bool = False) -> Iterator[None]:
        """See `Learner.whole`."""
        keep = self._accelerator.is_main_process
        device = self._accelerator.device if acting else torch.device("cpu")
        found = {}
        for name, each in super().checkpointed.items():
            policy = assembled(each.policy, self._skeletons[name], device, keep=keep)
            if policy is not None:
                found[name] = PolicyWithProcessors(policy, each.processors)
        if not acting:
            self._moments = gathered(state_tensors(self.optimizer), device, keep=keep)
        self._whole = found
        try:
            yield
        finally:
            self._whole, self._moments = None, {}

    def _state_tensors(self) -> dict[str, Tensor]:
        return self._moments

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
