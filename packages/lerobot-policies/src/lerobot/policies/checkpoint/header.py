"""What a safetensors file says of its tensors, without reading them or importing an array library."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.errors import CheckpointError

_SIZE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Header:
    """The first bytes of a file: a header's size, the header as JSON, then the tensors.

    Attributes:
        tensors: `dtype`, `shape` and `data_offsets`, from `start` on, by name.
        metadata: texts by name.
        start: where the tensors begin, bytes.

    Source:
        https://huggingface.co/docs/safetensors, "Format".
    """

    tensors: dict[str, Any]
    metadata: dict[str, str]
    start: int


def read_header(path: Path) -> Header:
    """Read the header of a file, and check that all bytes of its tensors are there.

    Raises:
        CheckpointError: the file is missing, cut off or no safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_SIZE_BYTES), "little")
            total = path.stat().st_size
            header: dict[str, Any] = json.loads(file.read(size)) if size <= total else {}
        metadata = header.pop("__metadata__", None) or {}
        end = max((entry["data_offsets"][1] for entry in header.values()), default=-1)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", expected="a complete safetensors file") from error
    if _SIZE_BYTES + size + end != total:
        raise CheckpointError(
            f"{path} cannot be read: it has {total} bytes",
            expected=f"a complete safetensors file, of {_SIZE_BYTES + size + end} bytes",
            hint="Copy or download it again.",
        )
    return Header(header, metadata, _SIZE_BYTES + size)


def tensor_names(path: Path) -> list[str]:
    """List the tensors of a file; see `read_header`."""
    return list(read_header(path).tensors)
