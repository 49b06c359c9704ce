"""Real commands, real sockets: a page drives, and whatever is lost on the way, the robot holds."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from scripted_page import ScriptedPage
from small_studio import ThreadStudio, start_command, wait_for

from lerobot.core.fake.joints import RANGES
from lerobot.core.safety.latch import stop_latch
from lerobot.core.safety.loops import running_loops
from lerobot.studio.inside.hook import GONE

KEYS = [f"{joint}.pos" for joint in RANGES]
POSITIONS = ", ".join(f"{key}: [{0 if key == 'gripper.pos' else -100}, 100]" for key in KEYS)
BROWSER = (
    "teleoperate",
    "--robot.type=fake",
    "--teleop.type=browser",
    f"--teleop.keys={KEYS}",
    f"--processors.teleop=[{{type: jog_to_joints, positions: {{{POSITIONS}}}}}]",
)
Opening = Callable[[int, str], ScriptedPage]


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process after the block, whatever happened."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def holds(process: subprocess.Popen[bytes]) -> bool:
    return any(loop.pid == process.pid and loop.holds_since_s is not None for loop in running_loops())


def moving(studio: ThreadStudio, run: str, page: ScriptedPage, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command and wait until it moves."""
    process = studio.start(run, *arguments)
    page.wait("state", lambda state: any(each["run"] == run for each in state["runs"]))
    page.send(type="watch", run=run)
    page.wait("tick", lambda tick: tick["run"] == run and not tick["stopped"])
    return process


def test_a_page_jogs_stops_releases_and_its_going_holds_the_robot(studio: ThreadStudio, open_page: Opening) -> None:
    page, watcher = open_page(studio.port, "page-0001"), open_page(studio.port, "page-0002")
    with ended(moving(studio, "one", page, *BROWSER)) as process:
        begin = page.newest["tick"]["sent"]
        for _ in range(20):
            page.jog("one", shoulder_pan__pos=1.0)
            watcher.jog("one", gripper__pos=-1.0)
            time.sleep(0.02)
        moved = page.wait("tick", lambda tick: tick["sent"]["shoulder_pan.pos"] > begin["shoulder_pan.pos"] + 2)
        assert moved["sent"]["gripper.pos"] == begin["gripper.pos"], "a page that watches moves nothing"
        assert "another page controls" in watcher.wait("error")["text"]

        watcher.send(type="stop", reason="a test")
        page.wait("tick", lambda tick: tick["stopped"])
        watcher.send(type="release")
        page.send(type="release")
        page.wait("tick", lambda tick: not tick["stopped"])
        assert page.wait("state")["stop"] is None

        page.close()
        wait_for(lambda: holds(process), "the arm holds without the page that controls")
        stop = stop_latch().present
        assert stop is not None
        assert GONE in stop.reason
        assert process.poll() is None, "it holds, and does not end"

        watcher.send(type="take_control")
        assert watcher.wait("state", lambda state: state["control"] == "you")["stop"] is not None, "released by nobody"
        watcher.send(type="release")
        wait_for(lambda: not holds(process), "it moves again")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 128 + signal.SIGINT


@pytest.mark.parametrize("loss", ["cut", "frozen"])
def test_a_page_that_says_nothing_holds_the_robot(studio: ThreadStudio, open_page: Opening, loss: str) -> None:
    page = open_page(studio.port, "page-0001")
    with ended(moving(studio, "one", page, *BROWSER)) as process:
        if loss == "frozen":
            page.is_frozen = True
        else:
            page.cut()
        wait_for(lambda: holds(process), "the arm holds")
        assert process.poll() is None


def test_a_reload_keeps_control_and_stops_nothing(studio: ThreadStudio, open_page: Opening) -> None:
    page = open_page(studio.port, "page-0001")
    with ended(moving(studio, "one", page, *BROWSER)) as process:
        for _ in range(5):
            page.close()
            time.sleep(0.3)
            page = open_page(studio.port, "page-0001")
            assert page.wait("state")["control"] == "you"
        twin = open_page(studio.port, "page-0001")
        assert twin.wait("state")["control"] == "you"
        wait_for(lambda: page.closed, "the page of the same tab that it replaces is closed")
        assert page.closed == (4001, "the tab is open elsewhere")
        time.sleep(2.0)
        assert stop_latch().present is None
        assert not holds(process)


def test_a_studio_that_is_killed_holds_the_robot_and_the_next_one_drives_it(
    lerobot_home: Path, open_page: Opening, free_port: Callable[[], int]
) -> None:
    def start(port: int) -> subprocess.Popen[bytes]:
        program = Path(__file__).parent / "small_studio.py"
        return subprocess.Popen([sys.executable, str(program), str(port)], start_new_session=True)

    file = lerobot_home / "run" / "studio.json"
    environment = {**os.environ, "LEROBOT_STUDIO": str(file), "LEROBOT_STUDIO_RUN": "one"}
    port = free_port()
    with ended(start(port)) as studio:
        wait_for(lambda: file.exists() and reachable(port), "the studio serves")
        page = open_page(port, "page-0001")
        with ended(start_command(environment, *BROWSER)) as process:
            page.wait("state", lambda state: state["runs"])
            page.send(type="watch", run="one")
            page.wait("tick")
            studio.kill()
            wait_for(lambda: holds(process), "the arm holds without the studio")
            assert process.poll() is None, "a dead studio does not end a run"
            port = free_port()
            with ended(start(port)):
                wait_for(lambda: reachable(port), "the next studio serves")
                again = open_page(port, "page-0001")
                again.wait("state", lambda state: state["runs"])
                again.send(type="watch", run="one")
                assert again.wait("tick")["stopped"], "it holds until somebody decides"
                again.send(type="release")
                again.wait("tick", lambda tick: not tick["stopped"])


def test_a_command_that_is_killed_takes_nothing_with_it(studio: ThreadStudio, open_page: Opening) -> None:
    page = open_page(studio.port, "page-0001")
    with ended(moving(studio, "one", page, *BROWSER)) as process:
        process.kill()
        assert page.wait("state", lambda state: not state["runs"])["control"] == "you"


def test_pictures_of_all_cameras_come_while_somebody_looks(studio: ThreadStudio, open_page: Opening) -> None:
    page = open_page(studio.port, "page-0001")
    cameras = "{front: {type: fake}, side: {type: fake, width: 320, height: 240}}"
    command = ("teleoperate", "--robot.type=fake", f"--robot.cameras={cameras}", "--teleop.type=fake", "--fps=30")
    with ended(studio.start("one", *command)):
        page.wait("state", lambda state: state["runs"])
        time.sleep(0.5)
        assert not page.pictures
        page.send(type="watch", run="one", width=160)
        wait_for(lambda: {header["camera"] for header, _ in page.pictures} == {"front", "side"}, "pictures of both")
        for header, jpeg in page.pictures:
            assert header["run"] == "one"
            assert 0 <= header["age_s"] < 30
            assert size_of(jpeg) == (160, 120)
        assert set(page.newest["tick"]["cameras"]) == {"front", "side"}
        page.send(type="watch", run=None)
        time.sleep(0.5)
        seen = len(page.pictures)
        time.sleep(0.5)
        assert len(page.pictures) == seen


def size_of(jpeg: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    assert image.format == "JPEG"
    return image.size


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find
