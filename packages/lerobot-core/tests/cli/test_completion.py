"""What bash, zsh and fish are told, through the scripts that `lerobot --install-completion` writes."""

import os
import subprocess
import sys

import pytest

RUN = [sys.executable, "-c", "import sys, lerobot_cli; sys.argv[0] = 'lerobot'; lerobot_cli.main()"]


def complete(shell: str, words: list[str]) -> str:
    """Complete the last word, as the shell's script asks for it."""
    environ = {**os.environ, "LEROBOT_PLUGINS": "lerobot-core", "_LEROBOT_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        # bash splits words at "=".
        split = [part for word in words for part in (word.partition("=") if "=" in word else (word,)) if part]
        split += [""] if words[-1].endswith("=") else []
        environ |= {"COMP_WORDS": " ".join(split), "COMP_CWORD": str(len(split) - 1)}
    else:
        environ |= {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return subprocess.run(RUN, capture_output=True, text=True, env=environ, check=False, timeout=60).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands(shell: str) -> None:
    out = complete(shell, ["lerobot", "tele"])
    assert "teleoperate" in out
    assert "calibrate" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_flags(shell: str) -> None:
    out = complete(shell, ["lerobot", "teleoperate", "--tele"])
    assert "--teleop_time_s" in out
    assert "--fps" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_flags_of_the_chosen_plugin(shell: str) -> None:
    assert "--robot.calibration_dir" in complete(shell, ["lerobot", "teleoperate", "--robot.type=fake", "--robot."])
    assert "--robot.calibration_dir" not in complete(shell, ["lerobot", "teleoperate", "--robot."])


@pytest.mark.parametrize(
    ("shell", "value"), [("bash", "fake"), ("zsh", '"--robot.type=fake"'), ("fish", "--robot.type=fake")]
)
def test_plugin_names_after_equals(shell: str, value: str) -> None:
    assert value in complete(shell, ["lerobot", "teleoperate", "--robot.type=fa"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_plugin_names_as_a_word_of_their_own(shell: str) -> None:
    out = complete(shell, ["lerobot", "teleoperate", "--robot.type", "fa"])
    assert "fake" in out
    assert "--robot.type=fake" not in out


@pytest.mark.parametrize(("words", "choice"), [(["--display_data=t"], "true"), (["--format", "js"], "json")])
def test_choices(words: list[str], choice: str) -> None:
    command = "teleoperate" if "display" in words[0] else "plugins"
    assert complete("bash", ["lerobot", command, *words]).split() == [choice]


def test_positional_choices() -> None:
    assert complete("bash", ["lerobot", "plugins", "in"]).split() == ["info"]


def test_an_unknown_command_completes_to_nothing() -> None:
    assert complete("bash", ["lerobot", "nonsense", "--x"]).strip() == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_can_be_shown(shell: str) -> None:
    environ = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [*RUN, "--show-completion", shell], capture_output=True, text=True, env=environ, check=False, timeout=60
    )
    assert done.returncode == 0
    assert f"complete_{shell}" in done.stdout or "_LEROBOT_COMPLETE" in done.stdout
