"""Virtual OMX arms."""

import multiprocessing
from collections.abc import Callable, Iterator

import pytest

from lerobot.motors.virtual import ARMS, VirtualBus

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.dynamixel.virtual"])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.arms.follower.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[[str], VirtualBus]]:
    """Start virtual arms as they come out of the box."""
    running: list[VirtualBus] = []

    def start(name: str) -> VirtualBus:
        running.append(VirtualBus(ARMS[name]))
        return running[-1]

    yield start
    for line in running:
        line.close()
