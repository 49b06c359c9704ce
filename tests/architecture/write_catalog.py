"""Bring the catalogue of known plugins up to date with what the packages of this repository register.

Other entries are what huggingface/lerobot has beside them: they name no package, because there is none. An entry
without a summary gets the first line of its config class.
"""

import importlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from source_tree import packages
from test_catalog import CATALOG, KIND_OF_GROUP, entries_of

HEADER = """\
# Plugins that are known, whether or not they are installed: what `lerobot` answers to a name nobody has registered.
# One line each, sorted by kind and name. `nox -s catalog` writes the entries of this repository's packages; only
# huggingface/lerobot has what names no distribution. `here` lists the packages that there are to install. Packages of
# others stand in `third_party.toml`.
"""


def updated(catalog: dict[str, dict[str, dict[str, str]]]) -> dict[str, dict[str, dict[str, str]]]:
    for entries in catalog.values():
        for entry in entries.values():
            entry.pop("distribution", None)
    for package in packages():
        for group, points in package.pyproject["project"].get("entry-points", {}).items():
            for name, value in points.items() if group in KIND_OF_GROUP else ():
                entries = catalog.setdefault(KIND_OF_GROUP[group], {})
                summary = entries.get(name, {}).get("summary") or first_line(value)
                entries[name] = {"distribution": package.name, "summary": summary}
    return catalog


def first_line(value: str) -> str:
    module, _, name = value.partition(":")
    loaded = importlib.import_module(module)
    text = (getattr(loaded, name) if name else loaded).__doc__ or ""
    return text.strip().partition("\n")[0]


def rendered(catalog: dict[str, dict[str, dict[str, str]]]) -> str:
    lines = [HEADER.rstrip(), "", f"here = {json.dumps([package.name for package in packages()], indent=4)}"]
    for kind in sorted(catalog):
        lines += ["", f"[{kind}]"]
        for name, entry in sorted(catalog[kind].items()):
            fields = ", ".join(
                f"{key} = {json.dumps(entry[key], ensure_ascii=False)}"
                for key in ("distribution", "summary")
                if key in entry
            )
            lines.append(f"{name} = {{ {fields} }}")
    return "\n".join(lines) + "\n"


def main(sources: list[str]) -> None:
    """Write the catalogue; further catalogue files named on the command line are merged in."""
    catalog: dict[str, dict[str, dict[str, str]]] = {}
    for source in [*sources, str(CATALOG)]:
        for kind, entries in entries_of(Path(source)).items():
            catalog.setdefault(kind, {}).update(entries)
    CATALOG.write_text(rendered(updated(catalog)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
