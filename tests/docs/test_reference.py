"""The written pages of the reference say what the code says."""

import re

from source_tree import packages
from write_reference import DOCS, GENERATED, handed_on, pages

CORE_INTERNAL = {
    "lerobot.core.commands",
    "lerobot.core.cli",
    "lerobot.core.fake",
    "lerobot.core.devices",
    "lerobot.core.inspection",
}
"""Folders of core whose names nobody imports: they are reached through the command line and the registry."""


def test_the_pages_are_those_the_code_gives() -> None:
    written = {
        str(page.relative_to(DOCS)): text
        for page in DOCS.rglob("*.md")
        if (text := page.read_text(encoding="utf-8")).startswith(GENERATED)
    }
    expected = pages()
    assert written.keys() == expected.keys(), "run: nox -s reference"
    differing = [path for path in expected if written[path] != expected[path]]
    assert not differing, f"run: nox -s reference; {differing}"


def test_what_core_hands_on_is_in_the_reference() -> None:
    """The pages of core are written by subject, so that somebody has to remember a new name."""
    documented = set(
        re.findall(r"^::: (\S+)", "\n".join(page.read_text() for page in DOCS.rglob("*.md")), re.MULTILINE)
    )
    core = next(package for package in packages() if package.name == "lerobot-core")
    names = {name for module in core.modules for name in handed_on(module)}
    assert names
    missing = {
        name
        for name in names
        if not any(name == place or name.startswith(f"{place}.") for place in documented)
        and not any(name.startswith(f"{folder}.") for folder in CORE_INTERNAL)
    }
    assert not missing
