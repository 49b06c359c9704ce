"""Plugins that are known but need not be installed: `catalog.toml`, data only.

Tests hold it sorted and complete for the packages of this repository; third parties add theirs by pull request.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """A known plugin: the distribution that provides it and one line of description."""

    distribution: str
    summary: str


@cache
def _catalog() -> dict[str, Any]:
    return tomllib.loads(files("lerobot.core.registry").joinpath("catalog.toml").read_text(encoding="utf-8"))


@cache
def known_plugins(kind: str) -> dict[str, Known]:
    """Known plugins of a kind, by registered name."""
    entries = _catalog().get(kind, {})
    return {name: Known(entry["distribution"], entry.get("summary", "")) for name, entry in entries.items()}


def install_hint(distribution: str, extra: str = "") -> str:
    """Say how to install a distribution, or that nothing does.

    The line names a folder and no package index: nothing is published yet, and there anybody may claim the names.
    """
    if distribution not in _catalog()["here"]:
        return f"{distribution} is not here yet: there is nothing to install."
    place = f"'./packages/{distribution}[{extra}]'" if extra else f"./packages/{distribution}"
    return f"Install it, in a checkout of this project: uv pip install {place}"
