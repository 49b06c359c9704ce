"""What makes a CPU fast, put into a finished policy from outside: `accelerate`.

Networks stay plain `torch.nn`, as their papers describe them. `product` knows which library multiplies faster, `layers`
are the twins of torch's layers that ask it. Nowhere else is a private operator of torch, or a processor's name.
"""

import torch
from torch import nn

from lerobot.policies.acceleration.layers import FastConv1d, FastLinear
from lerobot.policies.networks.resnet import FrozenBatchNorm2d, ResNet

TWINS: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: FastLinear, nn.Conv1d: FastConv1d}
"""The fast class of a layer, by torch's own. A twin has no state of its own and falls back to torch's `forward`."""


_PLAIN = {twin: plain for plain, twin in TWINS.items()}


def accelerate(module: nn.Module) -> None:
    """Make a module fast on CPUs: parameters, their names, hooks and results but for rounding stay what they are.

    Layers stay the same objects and change their class, so that copies, moving averages, adapters, other processes and
    other devices have them as well. Exported, compiled, in mixed precision and on GPUs they compute as torch's do.

    Args:
        module: changed in place. Subclasses of torch's layers are left alone.
    """
    for layer in module.modules():
        layer.__class__ = TWINS.get(type(layer), type(layer))
        if isinstance(layer, ResNet) and isinstance(layer.bn1, FrozenBatchNorm2d):
            # Convolutions keep the layout of their weights, and this one saves an eighth of the time ACT takes to act
            # (240x320, Intel Xeon, one thread). Behind statistics that are computed, though, its other rounding can
            # move an activation across zero, and gradients with it.
            layer.to(memory_format=torch.channels_last)


def decelerate(module: nn.Module) -> None:
    """Make the layers of a module torch's own again, for what knows only those.

    Args:
        module: changed in place.
    """
    for layer in module.modules():
        layer.__class__ = _PLAIN.get(type(layer), type(layer))
