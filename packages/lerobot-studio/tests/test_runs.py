"""Commands as processes of their own: they outlive the studio, and the next studio finds them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from studio_client import Studio

from lerobot.core.errors import LeRobotError
from lerobot.studio.runs.processes import start_mark
from lerobot.studio.runs.run import ENDED, RUNNING, Run
from lerobot.studio.runs.store import Runs

PATIENCE_S = 60.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def start_studio(home: Path) -> tuple["subprocess.Popen[str]", Studio]:
    """A studio as people start it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lerobot_cli", "studio", "--port=0", "--open_browser=false"],
        env={**os.environ, "HF_LEROBOT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=\S+)", process.stdout.readline())
    assert found is not None
    page = Studio(None, home, int(found[1]))
    page.headers["Cookie"] = page.get(found[2]).headers["set-cookie"].partition(";")[0]
    return process, page


def test_a_killed_studio_ends_no_run_and_the_next_one_takes_over(studio: Studio) -> None:
    process, page = start_studio(studio.home)
    with process:
        run = page.post("/teleoperate", {"wish": "start", "--robot.type": "fake", "--teleop.type": "fake"}).run
        memory = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        process.kill()
    assert memory is not None
    assert int(memory[1]) < 80_000
    found = studio.app.state.runs.get(run)
    assert (found.command, found.state) == ("teleoperate", RUNNING)
    wait_until(lambda: "Hz" in found.tail(), "a tick")
    size = found.size
    wait_until(lambda: found.size > size, "another tick")
    assert f'href="/run/{run}"' in studio.get("/runs").text
    assert 'data-run="' + run in studio.get(f"/run/{run}").text
    assert f'href="/run/{run}"' in studio.get("/").text
    assert studio.get("/teleoperate").text.count("--robot.type=fake"), "what was started is remembered"
    assert studio.post(f"/run/{run}/remove").status == 409
    assert studio.post(f"/run/{run}/interrupt").run == run
    wait_until(lambda: found.state == ENDED, "its end")
    assert "ended by signal" in found.tail()
    page = studio.get(f"/run/{run}").text
    assert "ended while no studio watched" in page
    assert f'"/teleoperate?run={run}"' in page
    assert "--robot.type=fake" in studio.get(f"/teleoperate?run={run}").text
    assert studio.ask("GET", f"/run/{run}/log").headers["hx-refresh"] == "true"
    assert "ended by signal" in studio.get(f"/run/{run}/log.txt").text
    assert studio.post("/runs/remove").status == 303
    assert studio.get(f"/run/{run}").status == 404
    assert not found.folder.exists()


def test_a_question_is_answered_by_a_later_studio_too(studio: Studio) -> None:
    run = studio.post("/command/find-port", {"wish": "start"}).run
    mine = studio.app.state.runs.get(run)
    later = Runs(mine.folder.parent).get(run)
    wait_until(lambda: "press Enter" in later.tail(), "the question")
    later.write("")
    wait_until(lambda: mine.state == ENDED, "its end")
    assert mine.code == 1
    assert (later.state, later.code) == (ENDED, 1)
    for act in (later.interrupt, lambda: later.write("x"), lambda: later.word("next")):
        with pytest.raises(LeRobotError, match="has ended"):
            act()
    assert studio.post(f"/run/{run}/answer", {"line": "x"}).status == 409
    assert "failed, code 1" in studio.get(f"/run/{run}").text
    once_more = studio.app.state.runs.get(studio.post(f"/run/{run}/again").run)
    assert (once_more.command, once_more.line) == ("find-port", "lerobot find-port")
    wait_until(lambda: "press Enter" in once_more.tail(), "the question of the second run")
    once_more.interrupt()
    wait_until(lambda: once_more.state == ENDED, "the end of the second run")
    assert once_more.code == 130
    assert "interrupted" in studio.get(f"/run/{once_more.id}").text


def test_a_run_whose_number_another_process_has_now_has_ended(tmp_path: Path) -> None:
    run = read(tmp_path, pid=os.getpid(), mark="another time")
    assert run.state == ENDED
    with pytest.raises(LeRobotError, match="has ended"):
        run.interrupt()


def test_a_run_that_the_studio_died_over_is_found_by_its_variable(tmp_path: Path) -> None:
    variables = {"LEROBOT_STUDIO_RUN": "run"}
    with subprocess.Popen(["sleep", "60"], env=variables, start_new_session=True) as process:
        run = read(tmp_path, started_s=time.time() - 60)
        assert (run.state, run.pid) == (RUNNING, process.pid)
        run.interrupt()
        assert process.wait(PATIENCE_S) == -signal.SIGINT
    assert read(tmp_path, "gone", started_s=time.time() - 60).state == ENDED


def test_a_run_that_is_only_being_started_is_not_interrupted(tmp_path: Path) -> None:
    run = Run(tmp_path, "info", [])
    assert run.state == RUNNING
    with pytest.raises(LeRobotError, match="being started"):
        run.interrupt()


@pytest.mark.parametrize("text", ["", "[]", '{"command": 1', '{"a": 1}', "\x00"])
def test_a_damaged_record_is_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "run.json").write_text(text)
    assert Runs(tmp_path).all() == []


def test_words_are_for_commands_that_take_them(tmp_path: Path) -> None:
    run = read(tmp_path, pid=os.getpid(), mark=start_mark(os.getpid()))
    with pytest.raises(LeRobotError, match="no word"):
        run.word("next")
    control = run.folder / "control.txt"
    control.touch()  # by the command
    run.word("next")
    run.word("stop")
    assert control.read_text() == "next\nstop\n"
    with pytest.raises(LeRobotError, match="no word"):
        run.word("next; rm -rf /")


def test_a_log_is_shown_as_a_terminal_shows_it(tmp_path: Path) -> None:
    run = Run(tmp_path, "info", [])
    run.log.write_bytes(b"a\r\n\x1b[31mred\x1b[0m\n10%\r20%\r30%\n\xff<script>\n\x1b]0;title\x07b")
    assert run.tail() == "a\nred\n30%\n\N{REPLACEMENT CHARACTER}<script>\nb"
    assert run.tail(4).endswith("b")


def test_what_cannot_be_started_leaves_nothing(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with pytest.raises(LeRobotError, match="cannot be started"):
        runs.start("info", ["x" * 200_000])
    with pytest.raises(LeRobotError, match="nothing"):
        runs.start("nothing", [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("place", "takes"), [("--env.type=sim", False), ("--robot.type=fake", True), ("--discover_packages_path=x", True)]
)
def test_a_control_file_is_given_where_the_command_takes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, takes: bool
) -> None:
    pytest.importorskip("lerobot.envs")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/config.json").write_text(json.dumps({"type": "act"}))
    started: list[list[str]] = []

    def spawn(_folder: Path, words: list[str], _variables: object) -> "subprocess.Popen[bytes]":
        started.append(words)
        raise OSError("not here")

    monkeypatch.setattr("lerobot.studio.runs.store._spawn", spawn)
    with pytest.raises(LeRobotError, match="not here"):
        Runs(tmp_path / "runs").start("eval", [f"--policy.path={tmp_path / 'policy'}", place])
    assert any(word.startswith("--control_file=") for word in started[0]) is takes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_an_answer_stands_in_the_log_as_a_terminal_would_show_it(tmp_path: Path) -> None:
    run = Runs(tmp_path / "runs").start("calibrate", ["--robot.type=fake"])
    try:
        run.write("c")
        assert "c\n" in run.log.read_text()
    finally:
        wait_until(lambda: run.state == ENDED, "the end")


def read(home: Path, name: str = "run", **told: object) -> Run:
    """A run as an earlier studio left it."""
    folder = home / name
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"command": "record", "arguments": [], **told}))
    run = Run.read(folder)
    assert run is not None
    return run
