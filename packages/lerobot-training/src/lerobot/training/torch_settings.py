"""What a run sets of torch for its whole process, until it ends: who trains in a notebook goes on there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_settings(*, deterministic: bool) -> Iterator[None]:
    """Multiply and convolve on GPUs as huggingface/lerobot does, inside the block.

    Float32 numbers are multiplied by their first ten digits where a GPU can, which is many times as fast. The current
    device is put back as well.

    Args:
        deterministic: choose reproducible convolutions, not the fastest.
    """
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.deterministic, products.allow_tf32
    device = torch.cuda.current_device() if torch.cuda.is_available() else None
    cudnn.benchmark, cudnn.deterministic, products.allow_tf32 = not deterministic, deterministic, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic, products.allow_tf32 = before
        if device is not None:
            torch.cuda.set_device(device)
