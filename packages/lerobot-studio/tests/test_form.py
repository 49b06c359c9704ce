"""A form keeps a command line: whatever is typed, what comes out is what the command would get."""

import shlex
import string
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from lerobot.core.commands.teleoperate import TeleoperateConfig
from lerobot.core.config import CommandConfig, ConfigModel, load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry
from lerobot.studio.forms.form import Form, check, from_arguments, from_fields


class Box(ConfigModel):
    low: float = Field(default=0.0, description="Lowest.")
    high: float = Field(default=1.0, description="Highest.")


class Command(CommandConfig):
    """Does nothing."""

    target: ClassVar[str] = "nowhere:nothing"

    rate: float = Field(default=30.0, gt=0, description="Ticks per second.")
    task: str = Field(default="", description="In words.")
    loud: bool = Field(default=True, description="Whether it speaks.")
    private: bool | None = Field(default=None, description="Whether others see it.")
    mode: Literal["a", "b"] = Field(default="a", description="One of two.")
    limits: dict[str, float] = Field(default_factory=dict, description="By joint.")
    names: tuple[str, ...] = Field(default=(), description="Some.")
    file: Path | None = Field(default=None, description="A file.")
    box: Box | None = Field(default=None, description="Where it stays.")


def filled(fields: dict[str, str], model: type[CommandConfig] = Command) -> Form:
    return from_fields("command", model, fields, {})


def test_what_equals_its_default_is_not_on_the_line() -> None:
    assert filled({"--rate": "30.0", "--mode": "a", "--loud": "true", "--task": ""}).arguments == []
    assert filled({"--rate": "31", "--loud": "false", "--mode": "b"}).arguments == [
        "--rate=31",
        "--loud=false",
        "--mode=b",
    ]


def test_a_variable_is_the_default() -> None:
    form = from_fields("command", Command, {"--rate": "20", "--mode": "b"}, {"LEROBOT_RATE": "20", "LEROBOT_MODE": "b"})
    assert form.arguments == []
    form = from_fields("command", Command, {"--rate": "30.0"}, {"LEROBOT_RATE": "20"})
    assert form.arguments == ["--rate=30.0"]


def test_an_optional_section_is_switched_on_with_its_defaults_and_off_with_all_it_holds() -> None:
    off = {"off:--box": "", "--box.low": "3"}
    assert filled(off).arguments == []
    assert filled({**off, "--box": "{}"}).arguments == ["--box.low=3"]
    assert filled({"off:--box": "", "--box": "{}"}).arguments == ["--box={}"]
    assert load(Command, ["--box={}"]).config.box == Box()


def test_a_problem_stands_at_its_field_and_what_was_typed_stays() -> None:
    form = filled({"--rate": "fast", "--limits": "[", "--mode": "c"})
    assert check(form, {}) is None
    assert set(form.problems) == {"--rate", "--limits", "--mode"}
    assert form.problems["--rate"] == ["expected a number > 0"]
    assert {row.flag: row.given for row in form.top.rows() if row.given} == {
        "--rate": "fast",
        "--limits": "[",
        "--mode": "c",
    }


def test_arguments_without_a_field_are_kept_and_those_with_one_move_there() -> None:
    form = filled({"more": "--config_path=run.yaml --rate 5 --limits.a=2 --unknown=1"})
    assert form.arguments == ["--rate=5", "--config_path=run.yaml", "--unknown=1", "--limits.a=2"]
    assert form.more == "--config_path=run.yaml --unknown=1 --limits.a=2"


def test_open_quotes_are_a_problem() -> None:
    form = filled({"more": "--task='x"})
    assert check(form, {}) is None
    assert list(form.problems) == ["more"]


def test_a_package_is_not_imported_here() -> None:
    form = filled({"more": "--robot.discover_packages_path=no_such_package_of_anybody", "--rate": "fast"})
    assert check(form, {}) is None
    assert not form.problems
    assert "--robot.discover_packages_path=no_such_package_of_anybody" in form.arguments


def test_cameras_are_added_and_removed_by_name() -> None:
    robot = {"--robot.type": "so101_follower", "--robot.port": "/dev/x", "--teleop.type": "fake"}
    add = {"add": "--robot.cameras", "name:--robot.cameras": "front", "type:--robot.cameras": "opencv"}
    form = filled({**robot, **add}, TeleoperateConfig)
    assert "--robot.cameras.front.type=opencv" in form.arguments
    assert "--robot.cameras.front.fps" in {row.flag for row in form.top.rows()}
    typed = {row.flag: row.given for row in form.top.rows()}
    assert check(filled({**typed, **add}, TeleoperateConfig), {}) is None, "a name that is there"
    assert "--robot.cameras.front" not in filled({**typed, "remove": "--robot.cameras.front"}, TeleoperateConfig).line
    for name in ("", "a.b", "ü", "a=b", "x y"):
        wrong = filled({**robot, **add, "name:--robot.cameras": name}, TeleoperateConfig)
        assert list(wrong.problems) == ["--robot.cameras"]


def test_a_camera_of_an_example_has_its_fields() -> None:
    cameras = "{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}"
    line = ["--robot.type=so101_follower", "--robot.port=/dev/x", "--teleop.type=fake", f"--robot.cameras={cameras}"]
    form = from_arguments("teleoperate", TeleoperateConfig, line, {})
    assert form.more == ""
    assert "--robot.cameras.front.width=640" in form.arguments
    assert load(TeleoperateConfig, form.arguments).config == load(TeleoperateConfig, line).config


def test_positional_parameters_are_given_by_place() -> None:
    model = registry.config_class("command", "plugins")
    assert filled({"NAME": "fake", "KIND": "robot"}, model).arguments == ["list", "robot", "fake"]
    assert filled({"NAME": "fake"}, model).arguments == ["--name=fake"]
    assert filled({"KIND": "--x"}, model).arguments == ["--kind=--x"]
    assert from_arguments("plugins", model, ["list", "robot"], {}).arguments == ["list", "robot"]


def values() -> st.SearchStrategy[dict[str, str]]:
    flags = [row.flag for row in from_arguments("command", Command, ["--box={}"], {}).top.rows()]
    text = st.text(max_size=20) | st.sampled_from(
        [
            "null",
            "true",
            "no",
            "3",
            "-1.5",
            ".inf",
            "{a: 1}",
            "[x, 'y: z']",
            "~/x",
            "a: b",
            "'",
            "--rate=3",
            "{}",
            "b",
            "0x1",
        ]
    )
    boxes = st.sampled_from([{}, {"off:--box": ""}, {"off:--box": "", "--box": "{}"}])
    return st.tuples(st.dictionaries(st.sampled_from(flags), text.map(str.strip)), boxes).map(
        lambda both: both[0] | both[1]
    )


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_line_of_a_form_says_what_was_typed(count: int) -> None:
    settings(max_examples=count, deadline=None)(given(values())(says_what_was_typed))()


def says_what_was_typed(fields: dict[str, str]) -> None:
    """The full line, and the short one of the form, and the form of that one, all give one configuration."""
    if "--box" not in fields and "off:--box" in fields:
        fields = {name: text for name, text in fields.items() if not name.startswith("--box.")}
    full = [f"{name}={text}" for name, text in fields.items() if text and name.startswith("--")]
    form = filled(fields)
    again = from_arguments("command", Command, form.arguments, {})
    assert outcome(full) == outcome(form.arguments) == outcome(again.arguments)


def outcome(arguments: list[str]) -> Any:
    try:
        return load(Command, arguments).config
    except ConfigError as error:
        return {problem.where for problem in error.problems}


names = st.text(string.ascii_letters + "-._:=[]{} \0é", max_size=12)


odd_fields = st.lists(
    st.tuples(
        names
        | names.map(lambda name: f"--{name}")
        | st.sampled_from(
            [
                "--robot.type",
                "--robot",
                "--robot.cameras.a.type",
                "add",
                "remove",
                "more",
                "--teleop.type",
                "--safety",
                "name:--robot.cameras",
                "off:--safety.model",
                "--robot.cameras",
                "--processors.teleop",
                "TASK",
                "--safety.workspace",
            ]
        ),
        st.text(max_size=15)
        | st.sampled_from(["fake", "so101_follower", "--robot.cameras", "{type: fake}", "[[", "&a *a"]),
    ),
    max_size=8,
)


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_form_data_is_too_odd(count: int) -> None:
    settings(max_examples=count, deadline=None)(given(odd_fields)(is_not_too_odd))()


def is_not_too_odd(fields: list[tuple[str, str]]) -> None:
    form = from_fields("teleoperate", TeleoperateConfig, dict(fields), {})
    check(form, {})
    assert form.line.startswith("lerobot teleoperate")


COMMANDS = registry.names("command")
FEW = ("calibrate", "plugins", "record")


@pytest.mark.parametrize(
    "command", [*FEW, *(pytest.param(name, marks=pytest.mark.slow) for name in COMMANDS if name not in FEW)]
)
def test_every_command_has_a_form_and_its_examples_fill_it_in(command: str) -> None:
    model = registry.config_class("command", command)
    for example in model.examples:
        program, name, *arguments = shlex.split(example)
        if (program, name) == ("lerobot", command) and not {">", "|"} & {*arguments}:
            form = from_arguments(command, model, arguments, {})
            assert outcome_of(model, form.arguments) == outcome_of(model, arguments)


def outcome_of(model: type[CommandConfig], arguments: list[str]) -> Any:
    try:
        return load(model, arguments).config
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
