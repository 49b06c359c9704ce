"""Real commands, real sockets: a page drives, and whatever is lost on the way, the robot holds."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from scripted_page import ScriptedPage, wait_for
from studio_client import TOKEN, Studio

from lerobot.core.safety.latch import Latch, stop_latch
from lerobot.core.safety.loops import running_loops
from lerobot.studio.inside.hook import GONE
from lerobot.studio.runs.run import Run

FORM = {
    "--robot.type": "fake",
    "--robot.cameras": "{front: {type: fake}, side: {type: fake, width: 320, height: 240}}",
    "--teleop.type": "browser",
    "wish": "start",
}
Opening = Callable[..., ScriptedPage]


def moving(studio: Studio, page: ScriptedPage) -> Run:
    """Start a command from a page and wait until its robot moves."""
    run: Run = studio.app.state.runs.get(studio.post("/teleoperate", {**FORM, "studio-page": page.name}).run)
    show(page, run.id)
    page.wait("tick", lambda tick: tick["run"] == run.id and not tick["stopped"])
    return run


def show(page: ScriptedPage, run: str) -> None:
    """Show a run on a page as soon as it is there."""
    page.wait("state", lambda state: any(each["run"] == run for each in state["runs"]))
    page.send(type="watch", run=run, width=160)


def holds(run: Run) -> bool:
    return any(loop.pid == run.pid and loop.holds_since_s is not None for loop in running_loops())


def _no_space(*_: object) -> None:
    raise OSError(28, "no space left")


def test_a_page_jogs_stops_releases_and_its_going_holds_the_robot(
    studio: Studio, open_page: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, watcher = open_page("page-0001"), open_page("page-0002")
    refused = studio.post("/teleoperate", {**FORM, "studio-page": watcher.name})
    assert refused.status == 409
    assert "Take control first" in refused.text
    run = moving(studio, page)
    begin = page.newest["tick"]["sent"]
    for _ in range(20):
        page.jog(run.id, shoulder_pan__pos=1.0)
        watcher.jog(run.id, gripper__pos=-1.0)
        time.sleep(0.02)
    moved = page.wait("tick", lambda tick: tick["sent"]["shoulder_pan.pos"] > begin["shoulder_pan.pos"] + 2)
    assert moved["sent"]["gripper.pos"] == begin["gripper.pos"], "a page that watches moves nothing"
    assert "another page controls" in watcher.wait("error")["text"]

    require_pictures(page, run.id)

    watcher.send(type="stop", reason="a test")
    page.wait("tick", lambda tick: tick["stopped"])
    watcher.send(type="release")
    page.send(type="release")
    page.wait("tick", lambda tick: not tick["stopped"])
    assert page.wait("state")["stop"] is None

    with monkeypatch.context() as full_disk:
        full_disk.setattr(Latch, "_write", _no_space)
        watcher.send(type="stop", reason="a full disk")
        page.wait("tick", lambda tick: tick["stopped"])
    page.send(type="release")
    page.wait("tick", lambda tick: not tick["stopped"])

    page.close()
    wait_for(lambda: holds(run), "the arm holds without the page that controls")
    stop = stop_latch().present
    assert stop is not None
    assert GONE in stop.reason
    assert run.state == "running", "it holds, and does not end"

    watcher.send(type="take_control")
    assert watcher.wait("state", lambda state: state["control"] == "you")["stop"] is not None, "nobody released it"
    watcher.send(type="release")
    wait_for(lambda: not holds(run), "it moves again")
    os.kill(run.pid or 0, signal.SIGKILL)
    watcher.wait("state", lambda state: not state["runs"])


def require_pictures(page: ScriptedPage, run: str) -> None:
    """Check that pictures of all cameras come while somebody looks, and only then."""
    wait_for(lambda: {header["camera"] for header, _ in page.pictures} == {"front", "side"}, "pictures of both")
    for header, jpeg in page.pictures:
        assert header["run"] == run
        assert 0 <= header["age_s"] < 30
        assert size_of(jpeg) == (160, 120)
    assert set(page.newest["tick"]["cameras"]) == {"front", "side"}
    page.send(type="watch", run=run, cameras=[])
    time.sleep(0.3)
    seen = len(page.pictures)
    time.sleep(0.3)
    assert len(page.pictures) == seen


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cut", "frozen"])
def test_a_page_that_says_nothing_holds_the_robot(studio: Studio, open_page: Opening, loss: str) -> None:
    page = open_page("page-0001")
    run = moving(studio, page)
    if loss == "frozen":
        page.is_frozen = True
    else:
        page.cut()
    wait_for(lambda: holds(run), "the arm holds")
    assert run.state == "running"


@pytest.mark.slow
def test_a_reload_keeps_control_and_stops_nothing(studio: Studio, open_page: Opening) -> None:
    page = open_page("page-0001")
    run = moving(studio, page)
    for _ in range(5):
        page.close()
        time.sleep(0.3)
        page = open_page("page-0001")
        assert page.wait("state")["control"] == "you"
    twin = open_page("page-0001")
    assert twin.wait("state")["control"] == "you"
    wait_for(lambda: page.closed, "the page of the same tab that it replaces is closed")
    assert page.closed == (4001, "the tab is open elsewhere")
    time.sleep(2.0)
    assert stop_latch().present is None
    assert not holds(run)


class StudioProcess:
    """`lerobot studio` in a process that a test kills."""

    def __init__(self, home: Path) -> None:
        token = home / "token"
        token.write_text(TOKEN)
        command = ["studio", "--port=0", "--open_browser=false", f"--token_file={token}"]
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "lerobot_cli", *command],
            env={**os.environ, "HF_LEROBOT_HOME": str(home)},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        found = re.search(rb"127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        assert found is not None
        self.studio = Studio(None, home, int(found[1]))  # type: ignore[arg-type] # its application is out of reach
        cookie = self.studio.get(f"/?token={TOKEN}").headers["set-cookie"]
        self.studio.headers["Cookie"] = cookie.partition(";")[0]

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@contextmanager
def studio_process(home: Path) -> Iterator[StudioProcess]:
    process = StudioProcess(home)
    try:
        yield process
    finally:
        process.kill()


def test_a_studio_that_is_killed_holds_the_robot_and_the_next_one_drives_it(
    tmp_path: Path, studio: Studio, open_page: Opening
) -> None:
    with studio_process(tmp_path) as first:
        page = open_page("page-0001", first.studio)
        name = first.studio.post("/teleoperate", {**FORM, "studio-page": page.name}).run
        show(page, name)
        page.wait("tick")
        first.kill()
        run = studio.app.state.runs.get(name)
        wait_for(lambda: holds(run), "the arm holds without the studio")
        assert run.state == "running", "a dead studio does not end a run"
    with studio_process(tmp_path) as second:
        page = open_page("page-0001", second.studio)
        show(page, name)
        assert page.wait("tick")["stopped"], "it holds until somebody decides"
        page.send(type="take_control")
        page.send(type="release")
        page.wait("tick", lambda tick: not tick["stopped"])


def size_of(jpeg: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    assert image.format == "JPEG"
    return image.size
