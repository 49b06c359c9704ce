"""Plugins that are known but need not be installed: `catalog.toml` and `third_party.toml`, data only.

The first names what this repository has and what huggingface/lerobot has beside it; tests hold it sorted, and complete
for the packages of this repository. The second names packages of others, with their owner and place.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

NOT_HERE = "known to huggingface/lerobot, not here yet"
INDEX = "package index"
"""Place of a distribution that its owner publishes on the Python package index."""


@dataclass(frozen=True, slots=True)
class Known:
    """A known plugin.

    Attributes:
        distribution: what provides it; empty where only huggingface/lerobot has it.
        summary: one line of description.
        owner: who makes it, for packages of others; empty for this repository's.
    """

    distribution: str
    summary: str
    owner: str = ""


@cache
def _read(file: str) -> dict[str, Any]:
    return tomllib.loads(files("lerobot.core.registry").joinpath(file).read_text(encoding="utf-8"))


@cache
def known_plugins(kind: str) -> dict[str, Known]:
    """Plugins of a kind that this repository or huggingface/lerobot has, by registered name."""
    entries = _read("catalog.toml").get(kind, {})
    return {name: Known(entry.get("distribution", ""), entry["summary"]) for name, entry in entries.items()}


@dataclass(frozen=True, slots=True)
class ThirdPartyPackage:
    """A package that others make for huggingface/lerobot.

    Attributes:
        owner: who makes it.
        place: `INDEX`, or the address of its repository.
        summary: one line of description.
        types: registered names by kind, as far as they are known.
    """

    owner: str
    place: str
    summary: str
    types: dict[str, list[str]]


@cache
def third_party_packages() -> dict[str, ThirdPartyPackage]:
    """Known packages of others, by canonical name."""
    return {name: ThirdPartyPackage(**entry) for name, entry in _read("third_party.toml").items()}


def third_party_plugins(kind: str) -> dict[str, Known]:
    """Known plugins of a kind that others make for huggingface/lerobot, by registered name."""
    return {
        name: Known(distribution, package.summary, package.owner)
        for distribution, package in third_party_packages().items()
        for name in package.types.get(kind, ())
    }


def packages_here() -> frozenset[str]:
    """Distributions of this repository: the names that are ours."""
    return frozenset(_read("catalog.toml")["here"])


def install_hint(distribution: str, extra: str = "") -> str:
    """Say how to install a distribution, or that nothing does.

    For our own the line names a folder and no package index: nothing is published yet, and there anybody may claim the
    names.
    """
    if distribution in third_party_packages():
        return f"Install it: lerobot plugins add {distribution}"
    if distribution not in packages_here():
        return f"{distribution} is not here yet: there is nothing to install."
    place = f"'./packages/{distribution}[{extra}]'" if extra else f"./packages/{distribution}"
    return f"Install it, in a checkout of this project: uv pip install {place}"
