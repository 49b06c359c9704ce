"""One frame as users see it, and how frames become a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data._utils.collate import collate, default_collate_fn_map


class FrameItem(dict[str, Any]):
    """A frame: tensors by feature, `<key>_is_pad` for windows, and `task`, the instruction.

    It is a `dict` like any other. `torch.utils.data.default_collate` makes a batch of frames that were read together
    without copying them, for their tensors are rows of one already.
    """


def collate_items(
    items: Sequence[FrameItem], *, collate_fn_map: dict[type | tuple[type, ...], Callable[..., Any]] | None = None
) -> dict[str, Any]:
    """Make a batch.

    Args:
        items: its frames, with the same keys.
        collate_fn_map: how torch makes batches of other types.

    Returns:
        What torch makes of plain dicts, except that tensors may be the frames' own.
    """
    batch: dict[str, Any] = {}
    for key in items[0]:
        values = [item[key] for item in items]
        whole = whole_of(values)
        batch[key] = collate(values, collate_fn_map=collate_fn_map) if whole is None else whole
    return batch


def whole_of(rows: Sequence[Any]) -> torch.Tensor | None:
    """The tensor of which these are all rows in turn; None if there is none."""
    first = rows[0]
    if type(first) is not torch.Tensor or not first.numel() or not first.is_contiguous() or first.requires_grad:
        return None
    begin, size = first.data_ptr(), first.numel() * first.element_size()
    memory, kind = first.untyped_storage().data_ptr(), (first.shape, first.stride(), first.dtype)
    for number, row in enumerate(rows):
        if (
            type(row) is not torch.Tensor
            or row.data_ptr() != begin + number * size
            or row.untyped_storage().data_ptr() != memory
            or (row.shape, row.stride(), row.dtype) != kind
            or row.requires_grad
        ):
            return None
    return first.as_strided((len(rows), *first.shape), (first.numel(), *first.stride()))


# The place that torch has for this, see `torch.utils.data.default_collate`.
default_collate_fn_map[FrameItem] = collate_items
