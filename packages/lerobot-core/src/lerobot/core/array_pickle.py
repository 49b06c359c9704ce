"""Arrays, numbers and texts out of files that were pickled, without running anything that is in them."""

import io
import pickle
from typing import Any

from lerobot.core.errors import DatasetError

_ARRAYS = {
    (module, name): (today, name)
    for module, today, name in (
        ("numpy.core.multiarray", "numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "numpy._core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "numpy._core.multiarray", "scalar"),
        ("numpy._core.multiarray", "numpy._core.multiarray", "scalar"),
        ("numpy.core.numeric", "numpy._core.numeric", "_frombuffer"),
        ("numpy._core.numeric", "numpy._core.numeric", "_frombuffer"),
        ("numpy", "numpy", "ndarray"),
        ("numpy", "numpy", "dtype"),
        ("_codecs", "_codecs", "encode"),
    )
}
"""What arrays in a pickle name, and where it is today; nothing else can be named."""


class _Arrays(pickle.Unpickler):
    """Makes containers, arrays, texts and numbers, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """The function or class that a file names."""
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(*_ARRAYS[module, name])


def unpickled_arrays(content: bytes, where: str) -> Any:
    """The value in a pickle of arrays, numbers, texts, lists, tuples and mappings.

    Args:
        content: the file's bytes.
        where: which file, for messages.

    Raises:
        DatasetError: the file is damaged, or names anything else, which is never run.
    """
    try:
        return _Arrays(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, EOFError, AttributeError, MemoryError) as error:
        raise DatasetError(
            f"{where} holds something else than arrays: {error}",
            expected="arrays, numbers and texts, nothing that is run",
        ) from error
