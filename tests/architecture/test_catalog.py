"""The catalogue of known plugins is sorted and names everything this repository registers."""

import tomllib

from source_tree import ROOT, packages

from lerobot.core.registry import KINDS

CATALOG = ROOT / "packages/lerobot-core/src/lerobot/core/registry/catalog.toml"
KIND_OF_GROUP = {kind.group: kind.name for kind in KINDS.values() if kind.config_base or kind.name == "template"}


def test_the_catalogue_is_sorted() -> None:
    catalog = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    for kind, entries in catalog.items():
        assert list(entries) == sorted(entries), kind


def test_the_catalogue_names_every_plugin_of_the_repository() -> None:
    catalog = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
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
