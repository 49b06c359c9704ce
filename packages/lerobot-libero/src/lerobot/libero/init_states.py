"""The starts of a task, read from LIBERO's files without running anything that is in them."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.array_pickle import unpickled_arrays
from lerobot.core.errors import DatasetError, LeRobotError


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
            states = unpickled_arrays(archive.read(name), name)
    except (zipfile.BadZipFile, DatasetError, ValueError, KeyError) as error:
        raise LeRobotError(f"{path} holds no starts of a task: {error}") from error
    if not isinstance(states, np.ndarray) or states.dtype != np.float64 or states.ndim != 2:
        raise LeRobotError(f"{path} holds no starts of a task", expected="an array of numbers, a start a row")
    return states
