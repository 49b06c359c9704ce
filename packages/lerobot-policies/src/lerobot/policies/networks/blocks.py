"""The repeated blocks of a network: what is computed again, compiled or spread over processes piece by piece."""

from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


class RecomputingNetwork(nn.Module):
    """A network that goes through its blocks by other ways than their `forward`, and can compute them again itself.

    Attributes:
        recomputes: compute again in the backward pass what would fill the memory.
    """

    recomputes = False


def holds_weights(module: nn.Module) -> bool:
    """Whether a module has parameters of its own, not only inside of others."""
    return any(True for _ in module.parameters(recurse=False))


def has_forward(module: nn.Module) -> bool:
    """Whether a module is called as such, and not by methods of other names."""
    return type(module).forward is not nn.Module.forward


def blocks(network: nn.Module) -> list[nn.Module]:
    """Find the blocks of a network, such as the layers of a transformer or the residual blocks of a ResNet.

    A block is an element of a list or sequence that is made of several layers; of blocks inside of blocks, the inner.
    """
    found = []
    for child in network.children():
        inner = blocks(child)
        listed = isinstance(network, nn.ModuleList | nn.Sequential) and not isinstance(child, nn.ModuleList)
        if not inner and listed and sum(map(holds_weights, child.modules())) > 1:
            inner = [child]
        found += inner
    return found


def recompute(network: nn.Module) -> int:
    """Let blocks keep only their inputs while a network learns, and compute the rest again in the backward pass.

    Left as they are: blocks that would count a batch twice in running statistics.

    Args:
        network: changed in place; parameters and their names stay.

    Returns:
        How many parts it is done in: blocks, and networks that do it themselves; 0 if there are none.

    Source:
        Chen et al. 2016, arXiv:1604.06174.
    """
    own = [module for module in network.modules() if isinstance(module, RecomputingNetwork)]
    for module in own:
        module.recomputes = True
    done = {id(part) for module in own for part in module.modules()}
    others = [block for block in blocks(network) if id(block) not in done and _can_run_twice(block)]
    for block in others:
        if not isinstance(block.forward, partial):
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    return len(own) + len(others)


def _can_run_twice(block: nn.Module) -> bool:
    return has_forward(block) and not any(isinstance(part, _BatchNorm) for part in block.modules())
