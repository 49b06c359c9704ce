"""What bash, zsh and fish are told, through the scripts that `lerobot --install-completion` writes."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from lerobot.core.cli.app import main
from lerobot.core.registry import registry

RUN = [sys.executable, "-c", "import sys, lerobot_cli; sys.argv[0] = 'lerobot'; lerobot_cli.main()"]
Complete = Callable[[str, list[str]], str]


def asked(shell: str, words: list[str]) -> dict[str, str]:
    """The variables by which a shell's script asks for the completion of the last word."""
    environ = {"LEROBOT_PLUGINS": "lerobot-core", "_LEROBOT_COMPLETE": f"complete_{shell}"}
    if shell != "bash":
        return environ | {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    # bash splits words at "=".
    split = [part for word in words for part in (word.partition("=") if "=" in word else (word,)) if part]
    split += [""] if words[-1].endswith("=") else []
    return environ | {"COMP_WORDS": " ".join(split), "COMP_CWORD": str(len(split) - 1)}


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """Complete the last word in this process: an interpreter for each case would take a hundred times as long."""

    def complete(shell: str, words: list[str]) -> str:
        with monkeypatch.context() as patch:
            for name, value in asked(shell, words).items():
                patch.setenv(name, value)
            registry.refresh()
            main(["lerobot"])
        registry.refresh()
        return capsys.readouterr().out

    return complete


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_starts_the_program_for_it(shell: str) -> None:
    environ = {**os.environ, **asked(shell, ["lerobot", "tele"])}
    done = subprocess.run(RUN, capture_output=True, text=True, env=environ, check=False, timeout=60)
    assert "teleoperate" in done.stdout
    assert "calibrate" not in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands(complete: Complete, shell: str) -> None:
    out = complete(shell, ["lerobot", "tele"])
    assert "teleoperate" in out
    assert "calibrate" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_flags(complete: Complete, shell: str) -> None:
    out = complete(shell, ["lerobot", "teleoperate", "--tele"])
    assert "--teleop_time_s" in out
    assert "--fps" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_flags_of_the_chosen_plugin(complete: Complete, shell: str) -> None:
    assert "--robot.calibration_dir" in complete(shell, ["lerobot", "teleoperate", "--robot.type=fake", "--robot."])
    assert "--robot.calibration_dir" not in complete(shell, ["lerobot", "teleoperate", "--robot."])


@pytest.mark.parametrize(
    ("shell", "value"), [("bash", "fake"), ("zsh", '"--robot.type=fake"'), ("fish", "--robot.type=fake")]
)
def test_plugin_names_after_equals(complete: Complete, shell: str, value: str) -> None:
    assert value in complete(shell, ["lerobot", "teleoperate", "--robot.type=fa"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_plugin_names_as_a_word_of_their_own(complete: Complete, shell: str) -> None:
    out = complete(shell, ["lerobot", "teleoperate", "--robot.type", "fa"])
    assert "fake" in out
    assert "--robot.type=fake" not in out


@pytest.mark.parametrize(("words", "choice"), [(["--display_data=t"], "true"), (["--format", "js"], "json")])
def test_choices(complete: Complete, words: list[str], choice: str) -> None:
    command = "teleoperate" if "display" in words[0] else "plugins"
    assert complete("bash", ["lerobot", command, *words]).split() == [choice]


def test_positional_choices(complete: Complete) -> None:
    assert complete("bash", ["lerobot", "plugins", "in"]).split() == ["info"]


def test_an_unknown_command_completes_to_nothing(complete: Complete) -> None:
    assert complete("bash", ["lerobot", "nonsense", "--x"]).strip() == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_can_be_shown(shell: str) -> None:
    environ = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [*RUN, "--show-completion", shell], capture_output=True, text=True, env=environ, check=False, timeout=60
    )
    assert done.returncode == 0
    assert f"complete_{shell}" in done.stdout or "_LEROBOT_COMPLETE" in done.stdout
