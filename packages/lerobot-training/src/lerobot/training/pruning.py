"""Weights that become zero while a policy learns, and stay so: the smallest ones, or whole heads of attention."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.training.checkpoints.optimizer_state import read_tensors
from lerobot.training.config import PruneConfig

MASKS = "prune_masks.safetensors"
_STEPS = "steps"
_LAYERS = (nn.Linear, nn.modules.conv._ConvNd)

Masks = dict[str, Tensor]
"""Where a parameter is zero, bool of its shape, by its name."""


class _Kind(Protocol):
    """What can become zero."""

    def choose(self, amount: float, masks: Mapping[str, Tensor]) -> Masks:
        """Choose what is zero: a share, in which all that is zero already comes first."""
        ...


class Pruning:
    """Makes weights of a policy zero, more of them by a schedule, and again after every step of the optimizer.

    Args:
        config: what, how much and when.
        policy: changed in place.
        name: of the policy, for messages.

    Raises:
        LeRobotError: it has no such layers, or fewer heads than could be taken away.

    Source:
        Schedule: Zhu and Gupta 2017, arXiv:1710.01878. Heads: Michel et al. 2019, arXiv:1905.10650, who rank them by a
        gradient; here it is by the norm of what a head makes of its input.
    """

    def __init__(self, config: PruneConfig, policy: nn.Module, name: str) -> None:
        self._config = config
        self._policy = policy
        self._kind: _Kind = (_Magnitude if config.kind == "magnitude" else _Heads)(config, policy, name)
        self._masks: Masks = {}
        self._steps = 0
        self.share = 0.0
        """Of the weights that the masks are about, those that are zero."""
        self._advance()

    def step(self) -> None:
        """Follow a step of the optimizer."""
        self._steps += 1
        self._advance()

    def _advance(self) -> None:
        passed, over = self._steps - self._config.begin, self._config.over
        if passed == over or (0 < passed < over and passed % self._config.every == 0):
            left = (1 - passed / over) ** 3 if over else 0.0
            self._take(self._kind.choose(self._config.amount * (1 - left), self._masks))
        self.apply(self._policy)

    def _take(self, masks: Masks) -> None:
        self._masks = masks
        zeros = sum(int(mask.sum()) for mask in masks.values())
        self.share = zeros / max(sum(mask.numel() for mask in masks.values()), 1)

    @torch.no_grad()
    def apply(self, policy: nn.Module) -> None:
        """Make zero, in the policy or a copy of it, what is zero."""
        if not self._masks:
            return
        for name, parameter in policy.named_parameters():
            if name in self._masks:
                parameter.masked_fill_(self._masks[name], 0.0)

    def save(self, folder: Path) -> None:
        """Write which weights are zero, and how far the schedule is."""
        steps = torch.tensor(self._steps)
        save_file({_STEPS: steps, **{name: mask.contiguous() for name, mask in self._masks.items()}}, folder / MASKS)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote; the policy has its weights already.

        Raises:
            CheckpointError: the file is missing, damaged or of another policy.
        """
        saved = read_tensors(folder / MASKS)
        shapes = {name: parameter.shape for name, parameter in self._policy.named_parameters()}
        steps = saved.pop(_STEPS, None)
        if steps is None or any(shapes.get(name) != mask.shape for name, mask in saved.items()):
            raise CheckpointError(f"{folder / MASKS} is of another policy", expected="masks of this policy's weights")
        devices = {name: parameter.device for name, parameter in self._policy.named_parameters()}
        self._steps = int(steps)
        self._take({name: mask.to(devices[name]) for name, mask in saved.items()})


class _Magnitude:
    """The weights nearest to zero of all linear and convolution layers together, biases left out."""

    def __init__(self, config: PruneConfig, policy: nn.Module, name: str) -> None:
        del config
        found = {id(layer.weight) for layer in policy.modules() if isinstance(layer, _LAYERS)}
        # What attention begins with is a linear layer that has no module of its own.
        found |= {id(each.in_proj_weight) for each in policy.modules() if isinstance(each, nn.MultiheadAttention)}
        self._weights = {
            key: each for key, each in policy.named_parameters() if id(each) in found and each.requires_grad
        }
        if not self._weights:
            raise LeRobotError(f"policy {name!r} learns no linear or convolution layer, so that none can be pruned")

    @torch.no_grad()
    def choose(self, amount: float, masks: Mapping[str, Tensor]) -> Masks:
        """See `_Kind.choose`."""
        sizes = []
        for name, weight in self._weights.items():
            size = weight.abs().float()
            sizes.append((size.masked_fill(masks[name], -1.0) if name in masks else size).flatten())
        flat = torch.cat(sizes)
        chosen = torch.zeros_like(flat, dtype=torch.bool)
        chosen[flat.argsort(stable=True)[: round(amount * len(flat))]] = True
        parts = torch.split(chosen, [weight.numel() for weight in self._weights.values()])
        return {name: part.view(each.shape) for (name, each), part in zip(self._weights.items(), parts, strict=True)}


class _Heads:
    """The heads of each `nn.MultiheadAttention` that change least: all weights of what they read and write."""

    def __init__(self, config: PruneConfig, policy: nn.Module, name: str) -> None:
        self._attentions = {
            key: each
            for key, each in policy.named_modules()
            if isinstance(each, nn.MultiheadAttention) and each.in_proj_weight is not None
            if each.in_proj_weight.requires_grad and each.out_proj.weight.requires_grad
        }
        if not self._attentions:
            raise LeRobotError(
                f"policy {name!r} has no heads of nn.MultiheadAttention to prune",
                expected="--prune.kind=magnitude, or a policy that has them, such as act",
            )
        fewest = min(each.num_heads for each in self._attentions.values())
        if int(config.amount * fewest) == 0:
            raise LeRobotError(
                f"--prune.amount={config.amount} of {fewest} heads is less than one",
                expected=f"at least {1 / fewest:g}",
            )

    @torch.no_grad()
    def choose(self, amount: float, masks: Mapping[str, Tensor]) -> Masks:
        """See `_Kind.choose`."""
        found: Masks = {}
        for name, attention in self._attentions.items():
            heads, width = attention.num_heads, attention.embed_dim
            values = attention.in_proj_weight[2 * width :].view(heads, -1, width)
            written = attention.out_proj.weight.view(width, heads, -1).transpose(0, 1)
            sizes = (written @ values).flatten(1).norm(dim=1)
            if f"{name}.out_proj.weight" in masks:
                gone = masks[f"{name}.out_proj.weight"][0].view(heads, -1)[:, 0]
                sizes = sizes.masked_fill(gone, -1.0)
            chosen = torch.zeros_like(sizes, dtype=torch.bool)
            chosen[sizes.argsort(stable=True)[: int(amount * heads)]] = True
            columns = chosen.repeat_interleave(width // heads)
            rows = columns.repeat(3)
            found[f"{name}.in_proj_weight"] = rows.unsqueeze(1).expand(-1, width).clone()
            found[f"{name}.out_proj.weight"] = columns.expand(width, -1).clone()
            if attention.in_proj_bias is not None:
                found[f"{name}.in_proj_bias"] = rows
        return found
