"""The dataclass that configures a third-party plugin as a model: flags with help, checks, and the way back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.compat.plugins.field_texts import field_texts
from lerobot.core.config import RobotConfig
from lerobot.core.registry import registry


def test_every_field_is_a_flag_with_what_its_author_says_of_it(lerobot: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = lerobot("teleoperate", "--robot.type=toaster", "--help")
    told = " ".join(out.split())
    assert code == 0
    assert "--robot.port text Serial port the toaster is plugged into. [required]" in told
    assert "--robot.mode toast|defrost What the lever starts. [default: toast]" in told
    assert "--robot.levers [text] Names of what moves. [default: ['lever', 'shade']]" in told
    assert "--robot.bread.slices int How many there are, both slots together. [default: 2]" in told
    assert "--robot.cameras {name: camera} Types: " in told
    assert "--robot.units" in told


def test_flags_reach_the_plugins_own_dataclass(config: Callable[..., Any]) -> None:
    model = config("robot", "toaster", port="/dev/x", mode="defrost", bread={"slices": 1}, recipe="~/r", id="left")
    made = model.original()
    assert type(made).__name__ == "ToasterConfig"
    assert (made.port, made.mode.value, made.bread.slices, made.bread.kind) == ("/dev/x", "defrost", 1, "rye")
    assert (made.id, made.recipe, made.type) == ("left", Path("~/r").expanduser(), "toaster")
    assert isinstance(model, RobotConfig)


def test_what_the_plugin_fills_in_is_taken_over(config: Callable[..., Any]) -> None:
    assert config("robot", "toaster", port="x").seconds == 90
    assert config("robot", "toaster", port="x", mode="defrost").seconds == 180
    camera = config("camera", "slot")
    assert (camera.fps, camera.width, camera.height) == (20, 48, 32)


def test_the_plugins_own_checks_are_told_on_one_line(lerobot: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = lerobot(
        "teleoperate", "--robot.type=toaster", "--robot.port=x", "--robot.bread.slices=3", "--teleop.type=dial"
    )
    assert code == 2
    assert err == "error: --robot: expected there are two slots, so no 3 slices\n"


def test_a_flag_that_is_missing_or_unknown_is_answered_as_for_ours(
    lerobot: Callable[..., tuple[int, str, str]],
) -> None:
    code, _, err = lerobot("teleoperate", "--robot.type=toaster", "--robot.moed=toast", "--teleop.type=dial")
    assert code == 2
    assert "--robot.moed: got 'toast', expected a known flag (did you mean --robot.mode?)" in err
    assert "--robot.port: expected text (it is required)" in err


def test_cameras_are_those_of_anybody(config: Callable[..., Any]) -> None:
    cameras = {"in": {"type": "slot"}, "out": {"type": "fake", "width": 64, "height": 48, "fps": 10}}
    made = config("robot", "toaster", port="x", cameras=cameras).original()
    assert type(made.cameras["in"]).__name__ == "SlotConfig"
    assert made.cameras["out"].type == "fake"
    with pytest.raises(ValidationError, match="no camera is named 'slott'"):
        config("robot", "toaster", port="x", cameras={"in": {"type": "slott"}})


def test_units_are_those_there_are(config: Callable[..., Any]) -> None:
    assert config("robot", "toaster", port="x", units={"lever": "deg"}).units == {"lever": "deg"}
    with pytest.raises(ValidationError):
        config("robot", "toaster", port="x", units="parsec")


def test_a_name_always_gives_the_same_class(third_party: Path) -> None:
    assert registry.config_class("robot", "toaster") is registry.config_class("robot", "toaster")


def test_a_class_without_source_has_no_texts() -> None:
    from dataclasses import make_dataclass

    assert field_texts(make_dataclass("Made", [("x", int)])) == {}
