"""Comparing arrays of any library through their own methods; none is imported here but numpy."""

import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def to_numpy(array: Any) -> npt.NDArray[Any]:
    """Copy a numpy array, a torch tensor on any device, or a number into a numpy array."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        if str(array.dtype) == "torch.bfloat16":
            array = array.float()
        array = array.numpy()
    return np.array(array)


def snapshot(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a batch as numpy arrays; entries that are no arrays, such as lists of texts, are copied as they are."""
    return {key: to_numpy(value) if hasattr(value, "shape") else value for key, value in batch.items()}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Keys that differ between two snapshots; NaN equals NaN."""
    return sorted(key for key in {*before, *after} if key not in before or key not in after or
                  not _equal(before[key], after[key]))  # fmt: skip


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    return bool(first == second)


def rows(batch: Mapping[str, Any], chosen: slice, size: int) -> dict[str, Any]:
    """Take rows of every entry whose first axis is the batch axis of `size` rows."""
    indices = list(range(size))[chosen]  # not the slice itself, because torch has no negative steps

    def take(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [value[index] for index in indices]
        return value[indices] if getattr(value, "shape", ())[:1] == (size,) else value

    return {key: take(value) for key, value in batch.items()}


def seed_everything(seed: int) -> None:
    """Seed Python, numpy, and torch if the policy under test has loaded it."""
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
