"""What `lerobot new` answers: which templates there are, which names can be used, what is in the way."""

import sys
from pathlib import Path

import pytest

from lerobot.core.commands.new import NewConfig
from lerobot.core.errors import ConfigError, LeRobotError, PluginError
from lerobot.core.template.command import new, usable_name
from lerobot.core.testing import ScriptedPrompter


def bake(folder: Path, kind: str) -> Path:
    new(NewConfig(plugin=kind, name="my-arm", output_dir=folder), ScriptedPrompter())
    return folder / "lerobot-my-arm"


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ("My Arm", "my-arm"),
        ("my--arm", "my-arm"),
        ("7bot", "bot"),
        ("class", "my-class"),
        ("ärm", "rm"),
        ("!", "my-robot"),
        ("fake", "my-fake"),
        ("so101_follower", "my-so101-follower"),
    ],
)
def test_a_name_that_cannot_be_used_gets_a_suggestion_that_can(given: str, suggestion: str) -> None:
    with pytest.raises(ConfigError) as caught:
        usable_name("robot", given)
    assert f"'{suggestion}'" in caught.value.problems[0].hint
    assert usable_name("robot", suggestion) == suggestion.replace("-", "_")


def test_hyphens_and_underscores_are_the_same() -> None:
    assert usable_name("robot", "my-arm") == usable_name("robot", "my_arm") == "my_arm"


def test_without_a_kind_the_templates_are_listed() -> None:
    prompter = ScriptedPrompter()
    new(NewConfig(), prompter)
    assert len(prompter.said) == 6
    assert "lerobot new policy NAME    (lerobot-policies)" in prompter.said


def test_an_unknown_kind_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="Did you mean 'robot'"):
        bake(tmp_path, "robt")


def test_a_kind_needs_a_name() -> None:
    with pytest.raises(ValueError, match="NAME after robot"):
        NewConfig(plugin="robot")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    folder = bake(tmp_path, "robot")
    (folder / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(LeRobotError, match="exists already"):
        bake(tmp_path, "robot")
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_without_cookiecutter_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "cookiecutter", None)
    monkeypatch.setitem(sys.modules, "cookiecutter.generate", None)
    with pytest.raises(LeRobotError, match="cookiecutter") as caught:
        bake(tmp_path, "robot")
    assert "uv pip install './packages/lerobot-core[new]'" in caught.value.hint
