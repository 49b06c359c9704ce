"""The names in a safetensors file, without reading its tensors or importing an array library."""

import json
from pathlib import Path
from typing import Any

from lerobot.core.errors import CheckpointError

_SIZE_BYTES = 8


def tensor_names(path: Path) -> list[str]:
    """List the tensors of a file, and check that all their bytes are there.

    Args:
        path: a safetensors file: a header's size, the header as JSON, the tensors.

    Raises:
        CheckpointError: the file is missing, cut off or no safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_SIZE_BYTES), "little")
            total = path.stat().st_size
            header: dict[str, Any] = json.loads(file.read(size)) if size <= total else {}
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=-1)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", expected="a complete safetensors file") from error
    if _SIZE_BYTES + size + end != total:
        raise CheckpointError(
            f"{path} has {total} bytes", expected=f"{_SIZE_BYTES + size + end}", hint="Copy or download it again."
        )
    return list(header)
