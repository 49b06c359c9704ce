"""Plugins that are known but need not be installed: `catalog.toml`, data only.

Tests hold it sorted and complete for the packages of this repository; third parties add theirs by pull request.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Known:
    """A known plugin: the distribution that provides it and one line of description."""

    distribution: str
    summary: str


@cache
def _catalog() -> dict[str, dict[str, Known]]:
    text = files("lerobot.core.registry").joinpath("catalog.toml").read_text(encoding="utf-8")
    return {
        kind: {name: Known(entry["distribution"], entry.get("summary", "")) for name, entry in entries.items()}
        for kind, entries in tomllib.loads(text).items()
    }


def known_plugins(kind: str) -> dict[str, Known]:
    """Known plugins of a kind, by registered name."""
    return _catalog().get(kind, {})
