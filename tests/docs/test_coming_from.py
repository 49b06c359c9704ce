"""The page for who comes from huggingface/lerobot names what is there."""

import importlib
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from lerobot.core.registry import registry

PAGE = (Path(__file__).resolve().parents[2] / "docs/tutorials/coming-from-lerobot.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.parametrize(("there", "here"), table("Classes"))
def test_every_class_can_be_imported(there: str, here: str) -> None:
    names = re.findall(r"`([\w.]+)`", there if here == "the same" else here)
    home = ""
    for name in names:
        if name == "pyproject.toml":
            continue
        home = name.rpartition(".")[0] or home
        assert hasattr(importlib.import_module(home), name.rpartition(".")[2]), name


def test_every_command_exists() -> None:
    rows = table("Commands")
    named = [there if here == "the same" else here for there, here, _ in rows if here != "not here"]
    earlier = {point.name for point in entry_points(group="lerobot.earlier_commands")}
    commands = set(re.findall(r"`lerobot[- ]([a-z_-]+)", " ".join(named))) - earlier
    assert len(commands) > 20
    assert commands <= set(registry.names("command"))
    assert set(registry.names("command")) == commands, "a command is missing on the page"
