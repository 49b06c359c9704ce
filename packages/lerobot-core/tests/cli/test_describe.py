"""What `--help` says about a command's fields."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field, ValidationError

from lerobot.core.cli.describe import Row, describe
from lerobot.core.config import (
    CameraConfig,
    CommandConfig,
    ConfigModel,
    Installed,
    NoEffect,
    PolicyConfig,
    RobotConfig,
    load,
)
from lerobot.core.config.nodes import Origin, compose, in_flow
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


class Filled(CommandConfig):
    """Has one field of every kind that a line fills in."""

    target = "x:y"
    rate: float = Field(default=30.0, description="A rate.")
    limits: dict[str, float] = Field(default_factory=dict, description="By joint.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras.")
    robot: RobotConfig | None = Field(default=None, description="A robot.")
    policy: PolicyConfig | None = Field(default=None, description="A policy.")
    part: Part | None = Field(default=None, description="A part.")


def filled(*line: str, **variables: str) -> dict[str, Row]:
    return {row.flag: row for section in describe(Filled, line, variables) for row in section.rows}


def test_what_the_line_gives_and_what_it_overrules_are_both_said() -> None:
    row = filled("--rate=5", LEROBOT_RATE="20")["--rate"]
    assert (row.given, row.given_by, row.default) == ("5", "--rate", "20")
    assert filled(LEROBOT_RATE="20")["--rate"].given == ""
    assert filled("--robot={type: fake, id: '1'}")["--robot.id"].given == "1"
    assert filled("--robot={type: fake, id: '1'}")["--robot.id"].given_by == "--robot"


@pytest.mark.parametrize(
    "line",
    [
        ["--cameras.front.type=fake", "--cameras.front.fps=10"],
        ["--cameras={front: {type: fake, fps: 10}}"],
        ["--cameras={side: {type: fake}}", "--cameras={front: {type: fake}}", "--cameras.front.fps=10"],
    ],
)
def test_what_a_mapping_holds_by_name_has_its_flags(line: list[str]) -> None:
    rows = filled(*line)
    assert rows["--cameras.front.fps"].given == "10"
    assert "fake" in rows["--cameras"].kinds
    assert rows["--cameras"].given == ""
    assert not any(flag.startswith("--cameras.side") for flag in rows)


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("{a: 1, b: 2.5}", "{a: 1, b: 2.5}"),
        ("{'a: b': [x, 'null', null, '1, 2']}", '{"a: b": [x, "null", null, "1, 2"]}'),
        ("a: |\n  two\n  lines\n", '{a: "two\\nlines\\n"}'),
    ],
)
def test_what_has_parts_is_said_in_one_line_that_means_the_same(typed: str, given: str) -> None:
    class Any_(CommandConfig):
        target = "x:y"
        inner: dict[str, Any] = Field(default_factory=dict, description="Anything.")
        outer: dict[str, Any] = Field(default_factory=dict, description="Anything.")

    (section,) = describe(Any_, [f"--inner={typed}"], {})
    assert section.rows[0].given == typed, "as it was typed"
    node = compose(typed, lambda _line, key: Origin("x", key))
    assert node is not None
    assert in_flow(node) == given
    assert load(Any_, [f"--inner={typed}", f"--outer={given}"]).config.inner == yaml.safe_load(given)


def test_a_saved_folder_stands_in_place_of_a_type() -> None:
    rows = filled("--policy.path=outputs/x")
    assert rows["--policy.path"].given == "outputs/x"
    assert "--robot.path" not in rows


def test_sections_say_whether_they_are_there() -> None:
    sections = {section.flag: section for section in describe(Filled, ["--part={}"], {})}
    assert (sections["--part"].is_optional, sections["--part"].is_given) == (True, True)
    sections = {section.flag: section for section in describe(Filled, ["--part=null"], {})}
    assert (sections["--part"].is_optional, sections["--part"].is_given) == (True, False)
    assert not sections["--robot"].is_optional, "its type says whether it is there"


class Noted(CommandConfig):
    target: ClassVar[str] = "nowhere:nothing"

    rate: float = 30.0
    """Ticks per second."""
    name: str = Field(default="", description="A name.")
    """Not what is shown."""


def test_a_docstring_describes_a_field_that_says_nothing_else_of_itself() -> None:
    """Looking for docstrings is slow, so that other classes do without."""
    assert {name: field.description for name, field in Noted.model_fields.items()} == {
        "rate": "Ticks per second.",
        "name": "A name.",
    }
    looked_for = [each.model_config["use_attribute_docstrings"] for each in (Noted, Command, Shared)]
    assert looked_for == [True, False, False]
