"""Modules of core that moved can be imported by their old names, with a notice."""

import importlib

import pytest

MOVED = {
    "control.tick": ("tick", "Tick"),
    "control.freshness": ("safety.freshness", "Freshness"),
    "control.teleoperate": ("control.command", "teleoperate"),
    "processors.building": ("processors.plugins", "build_step"),
    "terminal.listening": ("terminal.listener", "KeyListener"),
}


@pytest.mark.parametrize(("old", "new", "name"), [(old, *where) for old, where in MOVED.items()])
def test_an_old_name_gives_the_same_with_a_notice(old: str, new: str, name: str) -> None:
    module = importlib.import_module(f"lerobot.core.{old}")
    with pytest.warns(FutureWarning, match=f"lerobot.core.{old} is now lerobot.core.{new}: import {name} from there"):
        found = getattr(module, name)
    assert found is getattr(importlib.import_module(f"lerobot.core.{new}"), name)
