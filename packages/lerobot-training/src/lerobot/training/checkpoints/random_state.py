"""The random states of a process as tensors, complete: with them every draw after a checkpoint is the same again."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError


def capture() -> dict[str, Tensor]:
    """The states of Python's, numpy's and torch's generators.

    Returns:
        Tensors by the peer's names. Beyond what it saves: `py_gauss_next` (empty or one float64), and
        `np_rng_cached_gaussian` in full precision.
    """
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    if name != "MT19937":
        raise CheckpointError(f"numpy's global generator is {name}", expected="MT19937, its default")
    states = {
        "py_rng_version": torch.tensor([version], dtype=torch.int64),
        "py_rng_state": torch.tensor(internal, dtype=torch.int64),
        "py_gauss_next": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "np_rng_state_values": torch.tensor(np.asarray(keys, np.int64)),
        "np_rng_state_index": torch.tensor([int(position)], dtype=torch.int64),
        "np_rng_has_gauss": torch.tensor([int(has_gauss)], dtype=torch.int64),
        "np_rng_cached_gaussian": torch.tensor([float(cached)], dtype=torch.float64),
        "torch_rng_state": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["torch_cuda_rng_state"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        states["torch_mps_rng_state"] = torch.mps.get_rng_state()
    return states


def restore(states: Mapping[str, Tensor]) -> None:
    """Put generators back into the state they were captured in.

    Raises:
        CheckpointError: a state is missing or none; names it.
    """
    try:
        gauss = states.get("py_gauss_next", torch.empty(0))
        random.setstate(
            (
                int(states["py_rng_version"].item()),
                tuple(states["py_rng_state"].tolist()),
                gauss.item() if gauss.numel() else None,
            )
        )
        np.random.set_state(
            (
                "MT19937",
                states["np_rng_state_values"].numpy().astype(np.uint32),
                int(states["np_rng_state_index"].item()),
                int(states["np_rng_has_gauss"].item()),
                float(states["np_rng_cached_gaussian"].item()),
            )
        )
        torch.set_rng_state(states["torch_rng_state"])
        if torch.cuda.is_available() and "torch_cuda_rng_state" in states:
            torch.cuda.set_rng_state(states["torch_cuda_rng_state"])
        if torch.backends.mps.is_available() and "torch_mps_rng_state" in states:
            torch.mps.set_rng_state(states["torch_mps_rng_state"])
    except KeyError as error:
        raise CheckpointError(f"the saved random states lack {error}") from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"the saved random states are damaged: {error}") from error


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def aside(seed: int) -> Iterator[None]:
    """Draw from a seed inside the block, and go on afterwards as if nothing had been drawn."""
    states = capture()
    seed_everything(seed)
    try:
        yield
    finally:
        restore(states)
