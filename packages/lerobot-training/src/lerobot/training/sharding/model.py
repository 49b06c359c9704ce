"""Sharing a policy between processes, and bringing it together again.

Source: Zhao et al. 2023, arXiv:2304.11277; https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard

from lerobot.core.errors import LeRobotError
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.config import FSDPConfig, ParallelismConfig
from lerobot.training.sharding.tensors import gathered
from lerobot.training.sharding.units import degrees, units


def mesh_of(config: ParallelismConfig, processes: int, device: torch.device) -> DeviceMesh | None:
    """Who holds a model with whom; None if every process holds all of it.

    Raises:
        LeRobotError: the degrees are not those of the processes.
    """
    replicate, shard = degrees(config, processes)
    if shard == 1:
        return None
    if replicate == 1:
        return init_device_mesh(device.type, (shard,), mesh_dim_names=("shard",))
    return init_device_mesh(device.type, (replicate, shard), mesh_dim_names=("replicate", "shard"))


def share(policy: PreTrainedPolicy, mesh: DeviceMesh, config: FSDPConfig) -> None:
    """Leave each process a part of every weight; from here on all processes call the policy together.

    Gradients are averaged over the processes when they are computed. Weights keep the type they have, so that mixed
    precision does what it does where every process holds a whole model.

    Args:
        policy: changed in place; the same in every process.
        mesh: who holds what.
        config: what is gathered at once.

    Raises:
        LeRobotError: the policy cannot be shared so.
    """
    for name, parameter in policy.named_parameters():
        if parameter.ndim == 0:
            raise LeRobotError(
                f"policy {policy.name!r} cannot be shared: its weight {name} is a single number",
                expected="--parallelism.dp_shard=1 for this policy",
            )
    # Parts of a weight are rows, one after the other in memory.
    policy.to(memory_format=torch.contiguous_format)
    for unit in units(policy, config):
        fully_shard(unit if len(unit) > 1 else unit[0], mesh=mesh, reshard_after_forward=config.reshard_after_forward)
    fully_shard(policy, mesh=mesh)


def skeleton(policy: PreTrainedPolicy) -> PreTrainedPolicy:
    """Copy a policy without its weights, before it is shared; see `assembled`."""
    empty: dict[int, object] = {
        id(weight): nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=weight.requires_grad)
        for weight in policy.parameters()
    }
    return copy.deepcopy(policy, empty)


def assembled(
    policy: PreTrainedPolicy, bones: PreTrainedPolicy, device: torch.device, *, keep: bool
) -> PreTrainedPolicy | None:
    """Make a whole policy of a shared one; every process calls this.

    Args:
        policy: shared.
        bones: its `skeleton`.
        device: of the weights of the whole one.
        keep: whether this process wants it.
    """
    weights = gathered(policy.state_dict(keep_vars=True), device, keep=keep)
    if not keep:
        return None
    whole = copy.deepcopy(bones)
    whole.load_state_dict(weights, assign=True)
    return whole


def synchronise(buffers: Sequence[Tensor]) -> None:
    """Give buffers, such as running statistics, the values they have in the first process."""
    for kind in {buffer.dtype for buffer in buffers}:
        same = [buffer for buffer in buffers if buffer.dtype == kind]
        together = torch.cat([buffer.flatten() for buffer in same])
        torch.distributed.broadcast(together, 0)
        for buffer, values in zip(same, torch.split(together, [each.numel() for each in same]), strict=True):
            buffer.copy_(values.view_as(buffer))
