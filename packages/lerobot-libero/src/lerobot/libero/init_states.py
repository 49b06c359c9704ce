"""The starts of a task, read from LIBERO's files without running anything that is in them."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError

_ARRAY = {
    ("numpy.core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"): ("numpy", "ndarray"),
    ("numpy", "dtype"): ("numpy", "dtype"),
    ("_codecs", "encode"): ("_codecs", "encode"),
}
"""What an array in a pickle names, and where it is today; nothing else can be named."""


def read_init_states(path: Path) -> NDArray[np.float64]:
    """Read the starts of a task.

    Args:
        path: a file `.pruned_init`, an archive as torch writes it.

    Returns:
        A start a row, `(n, state)`: MuJoCo's time, positions and velocities.

    Raises:
        LeRobotError: the file holds something else than one array of numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [each for each in archive.namelist() if each.endswith("/data.pkl")]
            states = _Array(io.BytesIO(archive.read(name))).load()
    except (zipfile.BadZipFile, pickle.UnpicklingError, ValueError, TypeError, EOFError, KeyError) as error:
        raise LeRobotError(f"{path} holds no starts of a task: {error}") from error
    if not isinstance(states, np.ndarray) or states.dtype != np.float64 or states.ndim != 2:
        raise LeRobotError(f"{path} holds no starts of a task", expected="an array of numbers, a start a row")
    return states


class _Array(pickle.Unpickler):
    """Makes arrays, text and numbers, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """The function or class that a file names."""
        if (module, name) not in _ARRAY:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(*_ARRAY[module, name])
