"""Joints that jump or do not follow, and episodes that differ from the others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.format.features import Feature

_JUMP_OF_RANGE = 0.25
_JUMP_OF_NEIGHBOURS = 8.0
_NEIGHBOURS = 5
_FEW_VALUES = 10
_RESTING = 0.02
"""An element that moves by less than this part of what the widest moves is at rest, and its steps are noise."""
_MOVED = 0.1
_STUCK_FRAMES = 10
_SHORT, _LONG = 0.2, 5.0
_EPISODES_TO_COMPARE = 5

Bounds = list[tuple[int, int]]
"""First row of each episode and the one after its last."""


def jumps(key: str, feature: Feature, values: NDArray[np.floating], bounds: Bounds) -> Iterator[Finding]:
    """Steps no joint can make: a quarter of its range at once, and eight times those of the frames around it.

    Elements with few different values, such as a gripper that is open or closed, are left out.

    Args:
        key: the feature.
        feature: its declaration.
        values: `(frames, D)`.
        bounds: rows of each episode.
    """
    span = np.ptp(values, axis=0)
    for element in range(values.shape[1]):
        if span[element] <= _RESTING * span.max() or len(np.unique(values[:, element])) <= _FEW_VALUES:
            continue
        for episode, (first, stop) in enumerate(bounds):
            steps = np.abs(np.diff(values[first:stop, element]))
            for frame in np.flatnonzero(steps > _JUMP_OF_RANGE * span[element]).tolist():
                around = np.r_[steps[max(frame - _NEIGHBOURS, 0) : frame], steps[frame + 1 : frame + 1 + _NEIGHBOURS]]
                # A spike leaves and comes back: the step back is no sign of a fast joint.
                usual = np.sort(around)[:-1]
                if usual.size and steps[frame] > _JUMP_OF_NEIGHBOURS * usual.max():
                    text = f"{_name(key, feature, element)} jumps by {steps[frame]:.4g} to frame {frame + 1}"
                    yield Finding("warning", "jump", text, episode, key, frame + 1)
                    break


def stuck_joints(
    key: str, feature: Feature, state: NDArray[np.floating], action: NDArray[np.floating], bounds: Bounds
) -> Iterator[Finding]:
    """Joints that keep exactly one value over an episode while they are commanded to move.

    Args:
        key: the state feature.
        feature: its declaration.
        state: `(frames, D)`.
        action: `(frames, D)` commands of the same elements.
        bounds: rows of each episode.
    """
    span = np.ptp(action, axis=0)
    for episode, (first, stop) in enumerate(bounds):
        if stop - first < _STUCK_FRAMES:
            continue
        still = np.ptp(state[first:stop], axis=0) == 0
        commanded = np.ptp(action[first:stop], axis=0) > _MOVED * span
        for element in np.flatnonzero(still & commanded & (span > 0)).tolist():
            text = f"{_name(key, feature, element)} stays at {state[first, element]:.4g} while it is commanded to move"
            yield Finding("warning", "stuck_joint", text, episode, key)


def odd_lengths(lengths: NDArray[np.int64]) -> Iterator[Finding]:
    """Episodes a fifth as long as the usual one or less, or five times as long or more.

    Args:
        lengths: frames of each episode.
    """
    if len(lengths) < _EPISODES_TO_COMPARE:
        return
    usual = float(np.median(lengths))
    for episode in np.flatnonzero((lengths <= _SHORT * usual) | (lengths >= _LONG * usual)).tolist():
        text = f"it has {lengths[episode]} frames, half of the episodes have {usual:g} or more"
        yield Finding("warning", "odd_length", text, episode)


def _name(key: str, feature: Feature, element: int) -> str:
    names = feature["names"]
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    known = isinstance(names, (list, tuple)) and len(names) > element
    return f"{key} {names[element]}" if known else f"{key}[{element}]"
