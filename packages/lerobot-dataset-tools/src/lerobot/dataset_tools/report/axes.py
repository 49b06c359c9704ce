"""Which elements of a vector are drawn on one axis: those of one unit, as far as their names tell.

Datasets do not say units, but names follow customs: `shoulder_pan.pos`, `x.vel`, `ee.wx`, `joint_0_vel`. Grippers stand
alone, since theirs is seldom the unit of the joints: per cent beside degrees, metres beside radians.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_OF_POSES = {
    **dict.fromkeys("xyz", "position"),
    **dict.fromkeys(("wx", "wy", "wz", "roll", "pitch", "yaw", "theta"), "rotation"),
    **dict.fromkeys(("qx", "qy", "qz", "qw"), "quaternion"),
}
"""Elements of a pose or of a moving base, by their last name."""
_ENDING = re.compile(r"[._](pos|vel|acc|effort|torque|current|load|force|temperature|voltage)$")


@dataclass(frozen=True, slots=True)
class Axis:
    """Elements of a vector that share a chart.

    Attributes:
        key: the vector's feature.
        label: what is drawn.
        elements: their places in the vector.
        names: their names.
        bounds: lowest and highest of their values.
    """

    key: str
    label: str
    elements: list[int]
    names: list[str]
    bounds: tuple[float, float]


def axes_of(key: str, names: Sequence[str], columns: Sequence[NDArray[np.float64]]) -> list[Axis]:
    """The axes of a vector, in the order of their first elements.

    Args:
        key: its feature.
        names: of its elements.
        columns: its values in the episodes that are shown, `(n, D)` each.
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(_quantity(name), []).append(place)
    return [
        Axis(
            key,
            f"{key}: {quantity}" if len(groups) > 1 else key,
            elements,
            [names[place] for place in elements],
            _bounds([column[:, elements] for column in columns]),
        )
        for quantity, elements in groups.items()
    ]


def _quantity(name: str) -> str:
    ending = _ENDING.search(name)
    base = name[: ending.start()] if ending else name
    words = [
        "gripper" if "gripper" in base else _OF_POSES.get(base.rpartition(".")[2], ""),
        ending[1] if ending and ending[1] != "pos" else "",
    ]
    return " ".join(filter(None, words)) or "joints"


def _bounds(columns: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    finite = [column[np.isfinite(column)] for column in columns]
    values = np.concatenate(finite) if finite else np.zeros(0)
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
