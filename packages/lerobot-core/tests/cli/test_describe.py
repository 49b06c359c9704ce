"""What `--help` says about a command's fields."""

from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, ValidationError

from lerobot.core.cli.describe import Row, describe
from lerobot.core.config import CommandConfig, ConfigModel, Installed, NoEffect, load
from lerobot.core.errors import ConfigError


class Shared(ConfigModel):
    shared: bool = Field(default=False, description="A flag other commands have too.")


class Command(Shared, CommandConfig):
    target: ClassVar[str] = "nowhere:nothing"

    rate: float = Field(default=30.0, gt=0, description="Ticks per second")
    mode: Literal["a", "b"] | None = Field(default=None, description="One of two.")
    name: str = Field(description="A name")
    camera: Annotated[str, Installed("camera")] = Field(default="fake", description="An installed camera.")
    ignored: Annotated[int, NoEffect()] = Field(default=0, ge=0, description="Nothing reads it.")
    refused: None = Field(default=None, description="Not supported.")


def rows() -> dict[str, Row]:
    (section,) = describe(Command, [], {})
    return {row.flag: row for row in section.rows}


def test_own_flags_come_before_shared_ones() -> None:
    assert list(rows()) == ["--rate", "--mode", "--name", "--camera", "--refused", "--shared"]


def test_type_bound_and_default_are_said() -> None:
    rate = rows()["--rate"]
    assert (rate.type, rate.default) == ("float", "30.0")
    assert rate.text == "Ticks per second. Must be > 0."


def test_choices_are_said() -> None:
    assert rows()["--mode"].choices == ("a", "b")
    assert "fake" in rows()["--camera"].choices


def test_a_name_of_no_installed_plugin_is_refused() -> None:
    assert Command(name="x", camera="fake").camera == "fake"
    with pytest.raises(ValidationError, match=r"one of .*fake"):
        Command(name="x", camera="fak")
    assert rows()["--shared"].choices == ("true", "false")


def test_what_has_no_default_is_required() -> None:
    assert [flag for flag, row in rows().items() if row.required] == ["--name"]


def test_a_flag_that_takes_nothing_is_shown_as_such() -> None:
    assert rows()["--refused"].type == "null"


def test_a_flag_without_effect_is_accepted_and_not_listed() -> None:
    assert "--ignored" not in rows()
    assert load(Command, ["--name=x", "--ignored=3"]).config.ignored == 3
    with pytest.raises(ConfigError, match="--ignored: got '-1'"):
        load(Command, ["--name=x", "--ignored=-1"])


class Part(ConfigModel):
    name: str = Field(description="Its name.")


class WithParts(CommandConfig):
    """Has a part that is needed, and one that is not."""

    target = "x:y"
    needed: Part = Field(description="A part.")
    other: Part | None = Field(default=None, description="Another part.")


def test_what_an_optional_section_requires_is_required_with_it_only() -> None:
    rows = {row.flag: row for section in describe(WithParts, [], {}) for row in section.rows}
    assert [rows[f"--{part}.name"].required for part in ("needed", "other")] == [True, True]
    assert [rows[f"--{part}.name"].within for part in ("needed", "other")] == ["", "--other"]
