"""Virtual robots: one in a process of its own for the contracts, others in this one for what goes wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from lerobot.reachy2 import robot as robot_module
from lerobot.reachy2.config import Reachy2Config
from lerobot.reachy2.robot import Reachy2
from lerobot.reachy2.virtual import VirtualReachy


@dataclass(frozen=True)
class Served:
    """A virtual robot in another process."""

    port: int
    video_port: int


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    program = [sys.executable, "-m", "lerobot.reachy2.virtual", "--port=0", "--video_port=0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port, video_port = process.stdout.readline().split()
            yield Served(int(port), int(video_port))
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def _cameras_are_tested_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robot_module, "CAMERA_TEST_S", 0.05)


@pytest.fixture
def reachy() -> Iterator[VirtualReachy]:
    with VirtualReachy() as reachy:
        yield reachy


@pytest.fixture
def built() -> Iterator[Callable[..., Reachy2]]:
    """Make drivers of a virtual robot; they are disconnected at the end."""
    with ExitStack() as stack:

        def built(reachy: VirtualReachy, **fields: Any) -> Reachy2:
            patience = {"max_age_s": 20.0, "connect_timeout_s": 30.0}
            where = {"ip_address": "127.0.0.1", "sdk_port": reachy.port, "port": reachy.video_port}
            robot = Reachy2(Reachy2Config(**{**patience, **where, **fields}))
            stack.callback(robot.disconnect)
            return robot

        yield built
