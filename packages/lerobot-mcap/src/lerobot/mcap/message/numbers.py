"""Numbers of a message: by path, by name, in a unit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.mcap.message.path import FieldPath, fields_of

_NAMES = ("name", "joint_names")
"""Where JointState and JointTrajectory name the elements of their arrays."""

_EXACT = 2**53
"""Whole numbers up to here are the same as float64."""


def named_elements(message: Any) -> list[str]:
    """Names that a message gives to the elements of its arrays; none if it gives none."""
    for field in _NAMES:
        if field in fields_of(message):
            names = message[field]
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                return names
    return []


def numbers_of(message: Any, path: FieldPath, names: Sequence[str]) -> NDArray[np.float64]:
    """The numbers at a path.

    Args:
        message: the message.
        path: a number, an array of numbers, or a message of numbers.
        names: which of them, in this order: by the names that the message gives, or that its fields have; an array
            without names must have as many. All of them, as they stand, if there are no names.

    Returns:
        (n,) float64.

    Raises:
        ValueError: they are no numbers, or not those.
    """
    value = path.of(message)
    if members := fields_of(value):
        chosen = [FieldPath(name).of(value) for name in names or members]
        return _as_numbers(chosen, path)
    values = _as_numbers(value, path)
    known = named_elements(message)
    if not names:
        return values
    if known:
        if len(values) != len(known):
            raise ValueError(f"{path.text} has {len(values)} values for the {len(known)} names of the message")
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"it names {', '.join(known)}, and not {', '.join(missing)}")
        return values[[known.index(name) for name in names]]
    if len(values) != len(names):
        raise ValueError(f"{path.text} has {len(values)} values for the names {', '.join(names)}")
    return values


def _as_numbers(value: Any, path: FieldPath) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind not in "biuf" or array.ndim != 1:
        raise ValueError(f"{path.text} is {value!r:.60}, which is no list of numbers")
    if array.dtype.kind in "iu" and array.size and max(abs(int(array.max())), abs(int(array.min()))) > _EXACT:
        raise ValueError(f"{path.text} is {value!r:.60}; numbers are kept as float64, which holds up to 2^53 exactly")
    return array.astype(np.float64)
