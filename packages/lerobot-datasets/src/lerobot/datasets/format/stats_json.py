"""Statistics on disk: `meta/stats.json`, the `stats/...` columns of v3.0 episodes and v2.1 `episodes_stats.jsonl`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.datasets.format import layout

FeatureStats: TypeAlias = dict[str, NDArray[Any]]
"""`min max mean std` (and quantiles) of one feature, float64 of shape `(D,)`, `(3, 1, 1)` for images divided by 255,
`(1, 1, 1)` for depth; `count` is int64 `(1,)`."""

Stats: TypeAlias = dict[str, FeatureStats]
"""Statistics by feature."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""Quantile keys of the format and their levels."""
MOMENTS = ("min", "max", "mean", "std", "count")
STAT_KEYS = (*MOMENTS, *QUANTILES)
"""All keys in the order they are written."""


def stats_to_json(stats: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Statistics as nested lists, ready for `json.dumps`."""
    return {
        feature: {key: np.asarray(value).tolist() for key, value in values.items()} for feature, values in stats.items()
    }


def stats_from_json(document: Any, source: str) -> Stats:
    """Statistics as arrays.

    Args:
        document: nested lists by feature and key; JSON booleans (v2.x) become 0.0 and 1.0.
        source: file the document is from, for messages.

    Raises:
        DatasetError: an entry is not numeric; names it.
    """
    if not isinstance(document, dict):
        raise DatasetError(f"{source} is not a mapping of features")
    stats: Stats = {}
    for feature, values in document.items():
        if not isinstance(values, dict):
            raise DatasetError(f"{source}: {feature} is {values!r}", expected="a mapping such as {mean: [...]}")
        stats[feature] = {key: _as_array(value, key, f"{source}: {feature}.{key}") for key, value in values.items()}
    return stats


def _as_array(value: Any, key: str, where: str) -> NDArray[Any]:
    try:
        return np.atleast_1d(np.asarray(value, dtype=np.int64 if key == "count" else np.float64))
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{where} is {value!r}", expected="a number or a nested list of numbers") from error


def load_stats(root: Path) -> Stats | None:
    """Read `meta/stats.json`.

    Returns:
        Statistics by feature, or None if the dataset has no such file (v2.1, or no episode yet).

    Raises:
        DatasetError: the file is damaged.
    """
    path = root / layout.STATS_PATH
    try:
        document = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    return stats_from_json(document, str(path))


def flatten_stats(stats: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Statistics of one episode as columns `stats/<feature>/<key>` of the episodes table."""
    return {
        f"stats/{feature}/{key}": np.asarray(value).tolist()
        for feature, values in stats.items()
        for key, value in values.items()
    }


def unflatten_stats(row: Mapping[str, Any], source: str) -> Stats:
    """Statistics from the `stats/...` columns of an episodes row; other columns and nulls are ignored."""
    document: dict[str, dict[str, Any]] = {}
    for column, value in row.items():
        if column.startswith("stats/") and value is not None:
            feature, _, key = column.removeprefix("stats/").rpartition("/")
            document.setdefault(feature, {})[key] = value
    return stats_from_json(document, source)
