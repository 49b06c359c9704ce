"""Memory and time of learning, by what stands around a policy: recomputation and torch.compile."""

import logging

import torch
from torch import nn

from lerobot.core.errors import LeRobotError
from lerobot.core.words import counted
from lerobot.policies.networks.blocks import has_forward, recompute
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.config import CompileConfig

logger = logging.getLogger(__name__)


def recompute_blocks(policy: PreTrainedPolicy) -> None:
    """Let a policy compute again what would fill the memory.

    Raises:
        LeRobotError: it has no blocks.
    """
    if not recompute(policy):
        raise LeRobotError(
            f"policy {policy.name!r} has no blocks whose activations could be computed again",
            expected="--accelerator.activation_checkpointing.mode=none for this policy",
        )


def compile_policy(policy: PreTrainedPolicy, config: CompileConfig) -> None:
    """Compile a policy for learning; parameters and their names stay.

    Args:
        policy: changed in place; it is compiled when it is first called.
        config: with which compiler, and whether block by block.

    Raises:
        LeRobotError: there is no such compiler, no block to compile, or the policy compiles itself.
    """
    known = torch._dynamo.list_backends(exclude_tags=())
    if config.backend not in known:
        raise LeRobotError(
            f"--accelerator.compile.backend={config.backend} is no compiler here", expected=", ".join(sorted(known))
        )
    if any(isinstance(module, torch._dynamo.OptimizedModule) for module in policy.modules()):
        raise LeRobotError(
            f"policy {policy.name!r} compiles itself",
            expected="--policy.compile_model=true or --accelerator.compile.enabled=true, not both",
        )
    parts: list[nn.Module] = [policy]
    if config.regional:
        parts = [block for block in policy.blocks() if has_forward(block)]
        if not parts:
            raise LeRobotError(
                f"policy {policy.name!r} has no blocks that could be compiled one by one",
                expected="--accelerator.compile.regional=false to compile it as a whole",
            )
    for module in parts:
        module.compile(backend=config.backend, mode=config.mode)
    compiled = sum(parameter.numel() for module in parts for parameter in module.parameters())
    every = sum(parameter.numel() for parameter in policy.parameters())
    logger.info(
        "compiling %s with %.0f %% of the weights, when it is first called",
        counted(len(parts), "part"), 100 * compiled / max(every, 1),
    )  # fmt: skip
