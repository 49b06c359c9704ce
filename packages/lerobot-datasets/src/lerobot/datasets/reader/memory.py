"""Memory for the images of a batch, used again once nothing holds it.

A batch of images is large, and fresh memory for it costs about as much as decoding them: the system clears every page
of it. In a worker of a `DataLoader` it is memory that the other process sees too, so that nothing is copied on the way.
"""

import math
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import get_worker_info

_ALIGNMENT = 64
_SPARE = 2
"""A block serves for what needs more than its share of this; anything smaller would waste it."""


class ImageMemory:
    """Gives memory for tensors, and takes it back when the last tensor that uses it is gone.

    Args:
        blocks: most blocks that wait for their next use, such as one per camera.
    """

    def __init__(self, blocks: int) -> None:
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=max(blocks, 1))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process starts with nothing."""
        return ImageMemory, (self._free.maxlen,)

    def empty(self, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
        """A contiguous tensor whose numbers are still to be written.

        Args:
            shape: rows first.
            dtype: of the numbers.
        """
        size = math.prod(shape) * dtype.itemsize
        if not size:
            return torch.empty(*shape, dtype=dtype)
        if shape[0] > 1 and get_worker_info() is not None:
            # Where torch's own collation puts a batch. A single row is left to it: there may be many.
            storage = torch.UntypedStorage._new_shared(size)  # type: ignore[no-untyped-call] # torch declares no types
            shared: torch.Tensor = torch.empty(0, dtype=dtype).set_(storage).view(*shape)
            return shared
        block = self._block(size)
        begin = -block.ctypes.data % _ALIGNMENT
        lent = block[begin : begin + size]
        weakref.finalize(lent, self._free.append, block).atexit = False
        return torch.from_numpy(lent).view(dtype).view(*shape)

    def _block(self, size: int) -> NDArray[np.uint8]:
        needed = size + _ALIGNMENT
        # Blocks come back at any moment, from any thread.
        for _ in range(len(self._free)):
            try:
                block = self._free.popleft()
            except IndexError:
                break
            if needed <= block.size < _SPARE * needed:
                return block
            self._free.append(block)
        return np.empty(needed, np.uint8)
