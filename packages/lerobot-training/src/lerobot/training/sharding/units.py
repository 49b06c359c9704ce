"""What is gathered at once when a shared model computes."""

from torch import dtype, nn

from lerobot.core.errors import LeRobotError
from lerobot.policies.networks.blocks import has_forward, holds_weights
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.config import FSDPConfig, ParallelismConfig

Unit = list[nn.Module]
"""Modules whose weights are gathered when the first of them is called, and freed when the last has run."""


def degrees(config: ParallelismConfig, processes: int) -> tuple[int, int]:
    """How many groups of processes there are, and how many processes hold a model together.

    Raises:
        LeRobotError: that is not how many processes there are.
    """
    shard = processes // config.dp_replicate if config.dp_shard == -1 else config.dp_shard
    if not config.shards and config.dp_replicate == 1:
        return processes, 1
    if config.dp_replicate * shard != processes:
        raise LeRobotError(
            f"--parallelism.dp_replicate={config.dp_replicate} times --parallelism.dp_shard={config.dp_shard} "
            f"is not the {processes} there {'is' if processes == 1 else 'are'}",
            expected="as many processes as the launcher starts, or --parallelism.dp_shard=-1 for all of them",
        )
    return config.dp_replicate, shard


def units(policy: PreTrainedPolicy, config: FSDPConfig) -> list[Unit]:
    """Choose what of a policy is gathered at once, inner modules first; what is in none is gathered by the policy.

    A block that is not called as such, because two streams of a model look at each other in it, is gathered with the
    first of its layers. Weights that are learned in different types cannot travel together.

    Raises:
        LeRobotError: the policy has no module of a class that the configuration names.
    """
    chosen = policy.blocks()
    if config.wrap_modules is not None:
        chosen = _named(policy, config.wrap_modules)
    if config.min_num_params is not None:
        chosen = [block for block in chosen if _size(block) >= config.min_num_params]
    found = [unit for block in chosen for unit in _units_of(block)]
    inside = {id(module) for unit in found for top in unit for module in top.modules()}
    rest = [module for module in policy.modules() if holds_weights(module) and id(module) not in inside]
    by_type = _by_type(rest)
    # The policy itself gathers those of the type that most have.
    return found + sorted(by_type.values(), key=len)[:-1]


def _size(block: nn.Module) -> int:
    return sum(parameter.numel() for parameter in block.parameters())


def _named(policy: PreTrainedPolicy, names: list[str]) -> list[nn.Module]:
    found = [module for module in policy.modules() if type(module).__name__ in names]
    missing = sorted({*names} - {type(module).__name__ for module in found})
    if missing:
        raise LeRobotError(
            f"--accelerator.fsdp.wrap_modules names {', '.join(missing)}, which policy {policy.name!r} does not have",
            expected=", ".join(sorted({type(block).__name__ for block in policy.blocks()})) or "nothing",
        )
    return found[::-1]


def _units_of(block: nn.Module) -> list[Unit]:
    types = {parameter.dtype for parameter in block.parameters() if parameter.requires_grad}
    if has_forward(block) and len(types) < 2:
        return [[block]]
    return list(_by_type([module for module in block.modules() if holds_weights(module)]).values())


def _by_type(modules: list[nn.Module]) -> dict[dtype, Unit]:
    found: dict[dtype, Unit] = {}
    inside: set[int] = set()
    for module in modules:
        if id(module) not in inside:
            inside |= {id(part) for part in module.modules()}
            own = [*module.parameters(recurse=False)]
            learned = [parameter for parameter in own if parameter.requires_grad]
            found.setdefault((learned or own)[0].dtype, []).append(module)
    return found
