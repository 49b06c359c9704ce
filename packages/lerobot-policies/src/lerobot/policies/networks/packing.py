"""Weights in the order in which oneDNN reads them fastest."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class _Copy:
    """A packed copy, and by what to tell whether the weight is still the one that was copied."""

    packed: Tensor
    origin: tuple[object, ...]
    first: Tensor


class PackedWeight:
    """A copy of a weight in oneDNN's own order: made when it is first needed, kept for as long as the weight stays.

    A copy of a layer, in memory or for another process, starts without.
    """

    def __init__(self) -> None:
        self._copy: _Copy | None = None

    def __reduce__(self) -> tuple[type["PackedWeight"], tuple[()]]:
        return PackedWeight, ()

    def of(self, weight: Tensor) -> Tensor:
        """The weight `(O, I)`, packed."""
        origin = (weight.data_ptr(), weight.shape, 0 if weight.is_inference() else weight._version)
        kept = self._copy
        # torch does not count changes through `.data`, as some moving averages make them; they change every number.
        if kept is None or kept.origin != origin or not torch.equal(kept.first, weight[0]):
            packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach())
            kept = self._copy = _Copy(packed, origin, weight[0].detach().clone())
        return kept.packed

    def forget(self) -> None:
        """Free the copy."""
        self._copy = None
