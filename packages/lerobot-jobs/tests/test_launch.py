"""One command in many processes: who starts it, with which words, and what happens when it fails or must end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.core.signals import Interrupted
from lerobot.jobs import launch
from lerobot.jobs.config import LocalExecutorConfig


class Runs:
    def run(self) -> None: ...


def test_an_executor_that_cannot_launch_is_named(tmp_path: Path) -> None:
    local = LocalExecutorConfig().build()
    assert launch.launcher(local, "local") is local
    with pytest.raises(LeRobotError, match="executor 'mine' runs plans"):
        launch.launcher(Runs(), "mine")
    with pytest.raises(LeRobotError, match="has one machine, and 2 are asked for"):
        local.launch(["train"], nodes=2, processes_per_node=1, log_folder=tmp_path)


def test_the_line_is_that_of_this_interpreter() -> None:
    printed = subprocess.run(launch.command_line(["--version"]), capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout.startswith("lerobot-core")


@pytest.fixture
def in_place_of_torchrun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """A program that says its arguments, and ends as the last of them says."""
    asked: list[tuple[str, ...]] = []

    def line(arguments: list[str], *options: str) -> list[str]:
        asked.append(options)
        return [sys.executable, "-c", arguments[-1]]

    monkeypatch.setattr(launch, "torchrun_line", line)
    return asked


def test_a_failure_says_the_command_and_where_its_logs_are(
    in_place_of_torchrun: list[tuple[str, ...]], tmp_path: Path
) -> None:
    launch.launch_here(["train", "pass"], processes=1, log_folder=tmp_path / "logs")
    with pytest.raises(LeRobotError, match="the 3 processes ended with code 7: lerobot train '--a=b c'") as caught:
        launch.launch_here(["train", "--a=b c", "exit(7)"], processes=3, log_folder=tmp_path / "logs")
    assert str(tmp_path / "logs") in caught.value.hint
    assert ["--redirects" in " ".join(options) for options in in_place_of_torchrun] == [False, True]
    assert "--redirects=1:3,2:3" in in_place_of_torchrun[1]


@pytest.mark.usefixtures("in_place_of_torchrun")
def test_a_signal_is_handed_on_and_the_end_is_waited_for(tmp_path: Path) -> None:
    """The child tells us when it runs by a signal, which our handler turns into what the command line raises."""
    child = (
        "import os, pathlib, signal, sys, time\n"
        f"there = pathlib.Path({str(tmp_path / 'saved')!r})\n"
        "def stop(*_):\n"
        "    time.sleep(0.1)\n"
        "    there.write_text('a checkpoint')\n"
        "    sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "os.kill(os.getppid(), signal.SIGUSR1)\n"
        "signal.pause()\n"
    )

    def interrupt(*_: object) -> None:
        raise Interrupted(signal.SIGTERM)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            launch.launch_here([child], processes=1, log_folder=tmp_path)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (tmp_path / "saved").read_text() == "a checkpoint"


@pytest.mark.slow
def test_torchrun_starts_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    launch.launch_here(["--version"], processes=2, log_folder=tmp_path)
    assert capfd.readouterr().out.count("lerobot-core") == 1
    assert [log.read_text().startswith("lerobot-core") for log in tmp_path.rglob("1/stdout.log")] == [True]
