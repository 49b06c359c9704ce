"""Every outcome of a command has its exit code and its text; a traceback is shown to nobody who did not ask."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import lerobot_cli
from lerobot.core.cli.app import main
from lerobot.core.registry import registry
from lerobot.core.testing.plugins import PluginFolder

COMMAND = """
from typing import Annotated, ClassVar
from lerobot.core.config import CommandConfig, Positional

class TryConfig(CommandConfig):
    \"\"\"Try something.

    Not part of the summary.
    \"\"\"

    target: ClassVar[str] = "try_function:run"
    examples: ClassVar[tuple[str, ...]] = ("lerobot try fail --times=2",)

    how: Annotated[str, Positional()] = "ok"
    times: int = 1
    loud: bool = False
"""
FUNCTION = """
import signal, os, sys, time, weakref
from lerobot.core.errors import DeviceTimeoutError
from lerobot.core.signals import check_stop

class Noise:
    pass


class Noisy:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def run(config):
    if config.how == "fail":
        raise DeviceTimeoutError("motor 3 did not answer.", device="arm", hint="Check the cable.")
    if config.how == "crash":
        return {}["missing"]
    if config.how == "code":
        return 7
    if config.how.startswith("/"):
        open(config.how)
    if config.how == "interrupt":
        raise KeyboardInterrupt
    if config.how == "in_del":
        Noisy()
    if config.how == "in_callback":
        noise = Noise()
        watcher = weakref.ref(noise, lambda _: signal.raise_signal(signal.SIGINT))
        del noise
    for number in range(config.times if config.how.startswith("in_") else 0):
        print("step", number)
        check_stop()
    if config.how == "wait":
        print("ready", flush=True)
        time.sleep(30)
    if config.how == "much":
        import typer
        for number in range(100_000):
            typer.echo(f"line {number}")
    print(config.how, config.times, config.loud)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFolder]:
    """A folder on the path with the command `try`."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    plugins = PluginFolder(folder, registry)
    plugins.install(
        "lerobot-try",
        {"command": {"try": "try_config:TryConfig"}},
        {"try_config": COMMAND, "try_function": FUNCTION},
    )
    yield plugins
    plugins.forget_modules()
    monkeypatch.undo()
    registry.refresh()


@pytest.fixture
def run(
    site: PluginFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["lerobot", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def subprocess_code(argv0: str = "lerobot") -> list[str]:
    return [sys.executable, "-c", f"import sys, lerobot_cli; sys.argv[0] = {argv0!r}; lerobot_cli.main()"]


def test_success_is_zero_and_a_returned_number_is_the_code(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run("try") == (0, "ok 1 False\n", "")
    assert run("try", "hello", "--times=3", "--loud") == (0, "hello 3 True\n", "")
    assert run("try", "code")[0] == 7


def test_a_failure_is_one_without_traceback_unless_asked(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run("try", "fail") == (1, "", "error: motor 3 did not answer.\n  Check the cable.\n")
    for arguments in (("try", "fail", "--traceback"), ("--traceback", "try", "fail")):
        code, _, err = run(*arguments)
        assert code == 1
        assert "Traceback (most recent call last)" in err
        assert "try_function.py" in err


def test_the_variable_asks_for_tracebacks(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEROBOT_TRACEBACK", "1")
    assert "Traceback" in run("try", "fail")[2]


def test_an_unexpected_error_asks_for_a_report(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("try", "crash")
    assert code == 1
    assert err.startswith("error: unexpected KeyError; this is a bug in lerobot or a plugin.\n")
    assert "https://github.com/" in err
    assert "KeyError: 'missing'" in err


def test_a_mistake_of_the_user_is_two_with_all_problems(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run("try", "--tims=2", "--loud=maybe") == (
        2,
        "",
        "error: 2 problems\n"
        "  --tims: got '2', expected a known flag (did you mean --times?)\n"
        "  --loud: got 'maybe', expected true or false\n",
    )


def test_an_unknown_command_is_answered_with_the_nearest(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("teleoprate")
    assert code == 2
    assert err.splitlines()[0] == "error: no command is named 'teleoprate'."
    assert "Did you mean 'teleoperate'?" in err


def test_a_known_command_of_an_absent_package_is_answered_with_the_install_line(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-core")
    registry.refresh()
    code, _, err = run("train")
    monkeypatch.undo()
    registry.refresh()
    assert code == 2
    assert "uv pip install ./packages/lerobot-training" in err


def test_an_interruption_is_130(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run("try", "interrupt") == (130, "", "\nInterrupted.\n")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", ["in_del", "in_callback"])
def test_an_interruption_that_python_drops_ends_the_command_between_steps(
    run: Callable[..., tuple[int, str, str]], where: str
) -> None:
    code, out, err = run("try", where, "--times=3")
    assert (code, out) == (130, "step 0\n")
    assert err.endswith("\nInterrupted.\n")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_command_without_steps_that_dropped_an_interruption_does_not_end_with_success(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    assert run("try", "in_del", "--times=0")[:2] == (130, "in_del 0 False\n")


def test_ctrl_c_ends_the_process_cleanly(site: PluginFolder) -> None:
    environ = {**os.environ, "PYTHONPATH": str(site.folder)}
    process = subprocess.Popen(
        [*subprocess_code(), "try", "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "\nInterrupted.\n")


def test_ctrl_c_before_the_command_line_is_loaded_is_130_without_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("lerobot.core.cli.app.main", interrupted)
    with pytest.raises(SystemExit) as ended:
        lerobot_cli.main()
    assert ended.value.code == 130


def test_what_the_system_refuses_is_no_bug(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("try", str(tmp_path / "file" / "below"))
    assert code == 1
    assert err == f"error: Not a directory: '{tmp_path}/file/below'.\n  Add --traceback to see where.\n"
    assert "try_function.py" in run("try", str(tmp_path / "file" / "below"), "--traceback")[2]


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- 2>&- <&-"])
def test_a_command_runs_without_standard_streams(closed: str) -> None:
    words = "teleoperate --robot.type=fake --teleop.type=fake --teleop_time_s=0.1"
    script = shlex.join([*subprocess_code(), *words.split()])
    result = subprocess.run(["sh", "-c", f"{script} {closed}"], stderr=subprocess.PIPE, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_report_that_nobody_reads_is_no_failure(site: PluginFolder) -> None:
    command = [*subprocess_code(), *["teleoperate", "--robot.type=fake", "--teleop.type=fake", "--teleop_time_s=30"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_reader_that_goes_away_is_no_traceback(site: PluginFolder) -> None:
    environ = {**os.environ, "PYTHONPATH": str(site.folder)}
    command = [*subprocess_code(), "try", "much"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 1


@pytest.mark.parametrize("script", ["lerobot-try", "/usr/bin/lerobot-try", "lerobot-try.exe"])
def test_a_script_alias_is_the_command(site: PluginFolder, script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([script, "hello", "--times", "2"]) == 0
    assert capsys.readouterr().out == "hello 2 False\n"


def test_every_command_of_core_has_a_script_alias() -> None:
    from importlib.metadata import distribution

    points = distribution("lerobot-core").entry_points
    scripts = {point.name: point.value for point in points if point.group == "console_scripts"}
    commands = {point.name for point in points if point.group == "lerobot.commands"}
    assert scripts == dict.fromkeys({"lerobot", *(f"lerobot-{name}" for name in commands)}, "lerobot_cli:main")


def test_the_version(run: Callable[..., tuple[int, str, str]]) -> None:
    from importlib.metadata import version

    assert run("--version") == (0, f"lerobot-core {version('lerobot-core')}\n", "")


def test_the_configuration_is_printed_instead_of_run(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, _ = run("try", "fail", "--times=2", "--print_config")
    assert code == 0
    assert yaml.safe_load(out) == {"how": "fail", "times": 2, "loud": False}
    assert [line.rpartition("# ")[2] for line in out.splitlines()] == ["HOW", "--times", "default"]
    file = tmp_path / "printed.yaml"
    file.write_text(out)
    assert run("try", f"--config_path={file}")[0] == 1


def test_a_third_party_command_is_listed_with_its_origin(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "(from lerobot-try)" in out
    assert "Drive a robot with a teleoperator." in out
    assert max(map(len, out.splitlines())) <= 80


def test_help_shows_types_defaults_and_examples(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("try", "--help")
    assert code == 0
    assert out.startswith("Usage: lerobot try [HOW] [--FLAG=VALUE ...]\n\nTry something.\n\nOptions\n")
    assert "--times int" in out
    assert "[default: 1]" in out
    assert "Not part of the summary" not in out
    assert out.endswith("Examples\n  lerobot try fail --times=2\n")


def test_help_after_a_type_shows_its_fields(run: Callable[..., tuple[int, str, str]]) -> None:
    without = run("teleoperate", "-h")[1]
    with_type = run("teleoperate", "--robot.type=fake", "-h")[1]
    assert "--robot.id" not in without
    assert "--robot.id text" in with_type
    assert "robot (fake)" in with_type
    assert max(map(len, with_type.split("Examples")[0].splitlines())) <= 80


def test_help_after_an_unknown_type_says_so(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("teleoperate", "--robot.type=fkae", "--help")
    assert code == 0
    assert "Did you mean 'fake'?" in " ".join(out.split())


def test_info_is_the_bullets_of_a_bug_report(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("info")
    assert code == 0
    headings = [line.removeprefix("- ").partition(":")[0] for line in out.splitlines()]
    assert headings[:15] == [
        "LeRobot version",
        "Platform",
        "Python version",
        "Huggingface Hub version",
        "Transformers version",
        "Datasets version",
        "Numpy version",
        "FFmpeg version",
        "PyTorch version",
        "Torchcodec version",
        "Is PyTorch built with CUDA support?",
        "Cuda version",
        "GPU model",
        "Using GPU in script?",
        "lerobot scripts",
    ]


def test_known_plugins_are_listed_when_asked(run: Callable[..., tuple[int, str, str]]) -> None:
    rows = {row["name"]: row for row in json.loads(run("plugins", "list", "policy", "--known", "--format=json")[1])}
    assert (rows["wall_x"]["distribution"], rows["wall_x"]["status"]) == ("", "not here yet")
    assert (rows["rewact"]["distribution"], rows["rewact"]["status"]) == ("lerobot-policy-rewact", "not installed")
