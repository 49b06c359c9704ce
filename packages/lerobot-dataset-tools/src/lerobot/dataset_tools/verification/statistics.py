"""Whether `meta/stats.json` describes the values."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.format.episodes import load_episodes
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.statistics.recompute import dataset_statistics
from lerobot.datasets.storage.rows import absent_numbers, data_files

_OF_RANGE, _OF_VALUE = 1e-3, 1e-5
"""What single precision in other writers costs, of the range of an element and of its largest value."""


def statistics_findings(root: Path, info: Info, stats: Stats) -> Iterator[Finding]:
    """Compare extremes, mean and deviation of every numeric feature with those of its values.

    Args:
        root: a dataset whose files are sound.
        info: its declarations.
        stats: what its metadata says.
    """
    absent = {name for file in data_files(root, info, load_episodes(root, info)) for name in absent_numbers(file)}
    numeric = [key for key in info.features if key not in {*info.camera_keys, *absent}]
    for key, found in dataset_statistics(root, info, numeric).items():
        if key not in stats:
            yield Finding("warning", "statistics", f"{key} has no statistics", feature=key)
            continue
        largest = np.maximum(np.abs(found["min"]), np.abs(found["max"]))
        allowed = _OF_RANGE * (found["max"] - found["min"]) + _OF_VALUE * largest + 1e-9
        for name in ("min", "max", "mean", "std"):
            said = np.asarray(stats[key].get(name, np.nan), np.float64).ravel()
            if said.shape != found[name].shape or not (np.abs(said - found[name]) <= allowed).all():
                text = f"{name} of {key} is {_short(said)}, that of its values {_short(found[name])}"
                yield Finding("warning", "statistics", text, feature=key)
                break


def _short(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:6])
    return f"[{shown}{', ...' if len(values) > 6 else ''}]"
