"""State of steps as safetensors, in the array framework of the step; no framework is imported before it is needed."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.core.errors import CheckpointError

FRAMEWORKS = ("numpy", "torch")


def framework_of(state: Mapping[str, Any]) -> str:
    """Name the framework a step's arrays belong to.

    Raises:
        CheckpointError: a value belongs to none that can be saved, or there are two.
    """
    owners = {key: type(value).__module__.partition(".")[0] for key, value in state.items()}
    for key, owner in owners.items():
        if owner not in FRAMEWORKS:
            raise CheckpointError(
                f"state {key!r} is a {type(state[key]).__name__}", expected=f"an array of {' or '.join(FRAMEWORKS)}"
            )
    if len(set(owners.values())) != 1:
        raise CheckpointError(f"the state mixes {' and '.join(sorted(set(owners.values())))} arrays")
    return next(iter(owners.values()))


def encode(state: Mapping[str, Any]) -> bytes:
    """Write arrays as the bytes of a safetensors file.

    Args:
        state: arrays of one framework, by flat name.

    Raises:
        CheckpointError: see `framework_of`.
    """
    framework = framework_of(state)
    if framework == "torch":
        # Tensors may share memory or live on an accelerator; a file holds plain copies.
        arrays = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
    else:
        arrays = {key: value.copy(order="C") for key, value in state.items()}
    encoded: bytes = importlib.import_module(f"safetensors.{framework}").save(arrays)
    return encoded


def decode(path: Path, framework: str) -> dict[str, Any]:
    """Read a safetensors file.

    Args:
        path: the file.
        framework: whose arrays to make, one of `FRAMEWORKS`.

    Raises:
        CheckpointError: the file is missing, damaged or holds a dtype the framework does not have.
    """
    if framework not in FRAMEWORKS:
        raise CheckpointError(f"array framework {framework!r} is unknown", expected=" or ".join(FRAMEWORKS))
    from safetensors import SafetensorError

    if not path.is_file():
        raise CheckpointError(f"state file {path} is missing", hint="Copy the whole checkpoint folder again.")
    try:
        loaded: dict[str, Any] = importlib.import_module(f"safetensors.{framework}").load_file(path)
    except (SafetensorError, TypeError, KeyError, OSError) as error:
        raise CheckpointError(
            f"state file {path} cannot be read: {error}",
            expected=f"a complete safetensors file of dtypes {framework} has",
        ) from error
    return loaded
