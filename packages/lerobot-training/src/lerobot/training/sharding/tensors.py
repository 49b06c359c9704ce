"""Tensors of which each process holds a part, and the same tensors as a whole."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(tensor: Tensor) -> Tensor:
    """Give a tensor as a whole; of a shared one every process asks for it, at the same time."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def part(tensor: Tensor, like: Tensor) -> Tensor:
    """Give what this process holds of a whole tensor that is shared as another is; all of it, if that one is not.

    Args:
        tensor: the same in every process.
        like: says who holds what.
    """
    if not isinstance(like, DTensor):
        return tensor
    mesh, placements = like.device_mesh, like.placements
    return distribute_tensor(tensor.to(like.device), mesh, placements, src_data_rank=None)


def gathered(tensors: Mapping[str, Tensor], device: torch.device, *, keep: bool) -> dict[str, Tensor]:
    """Bring shared tensors together, one after the other; every process calls this, with tensors of the same names.

    Args:
        tensors: by name. What stands under several names is brought once.
        device: where to.
        keep: whether this process wants them; to others nothing is given.
    """
    found: dict[str, Tensor] = {}
    places: dict[int, Tensor] = {}
    for name, tensor in tensors.items():
        # Copied, because what is brought together lies in memory that has room for the parts of all processes.
        if id(tensor) not in places:
            together = whole(tensor.detach())
            places[id(tensor)] = together.to(device, copy=True) if keep else torch.empty(0)
        if keep:
            found[name] = places[id(tensor)]
    return found
