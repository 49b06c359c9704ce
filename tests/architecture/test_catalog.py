"""The catalogue of known plugins is sorted and names everything this repository registers."""

import tomllib
from pathlib import Path

from source_tree import ROOT, packages

from lerobot.core.registry import KINDS

CATALOG = ROOT / "packages/lerobot-core/src/lerobot/core/registry/catalog.toml"
ASKED_BY_NAME = {"template", "dataset_edit", "saved_policy"}
"""Kinds of plugins without a configuration that somebody may ask for before they are installed."""
KIND_OF_GROUP = {kind.group: kind.name for kind in KINDS.values() if kind.config_base or kind.name in ASKED_BY_NAME}


def entries_of(file: Path) -> dict[str, dict[str, dict[str, str]]]:
    """What a catalogue says of each name, by kind."""
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    return {kind: entries for kind, entries in read.items() if kind != "here"}


def test_the_catalogue_says_which_packages_can_be_installed() -> None:
    read = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    assert read["here"] == sorted(package.name for package in packages())


def test_the_catalogue_is_sorted() -> None:
    catalog = entries_of(CATALOG)
    for kind, entries in catalog.items():
        assert list(entries) == sorted(entries), kind


def test_the_catalogue_names_every_plugin_of_the_repository() -> None:
    catalog = entries_of(CATALOG)
    missing = []
    for package in packages():
        for group, points in package.pyproject["project"].get("entry-points", {}).items():
            if group not in KIND_OF_GROUP:
                continue
            for name in points:
                entry = catalog.get(KIND_OF_GROUP[group], {}).get(name)
                if entry is None or entry["distribution"] != package.name:
                    missing.append(f"{group} {name} of {package.name}")
    assert not missing
