"""A virtual LeKiwi, the calibration its servos hold, and a host that drives it."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, cast

import pytest

from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.lekiwi.commands.lekiwi_host import HostOptions
from lerobot.lekiwi.config import LeKiwiConfig
from lerobot.lekiwi.host import Host
from lerobot.lekiwi.robot import LeKiwi
from lerobot.lekiwi.sockets import HostSockets
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.testing import quick, start
from lerobot.motors.virtual import VirtualBus

__all__ = ["calibration", "calibrations", "held", "host", "ports", "quick", "start"]

CALIBRATION = {
    "arm_shoulder_pan": MotorCalibration(1, 0, 100, 761, 3280),
    "arm_shoulder_lift": MotorCalibration(2, 0, -120, 814, 3171),
    "arm_elbow_flex": MotorCalibration(3, 0, 0, 898, 3113),
    "arm_wrist_flex": MotorCalibration(4, 0, 15, 746, 3074),
    "arm_wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "arm_gripper": MotorCalibration(6, 0, 0, 2013, 3514),
    "base_left_wheel": MotorCalibration(7, 0, 0, 0, 4095),
    "base_back_wheel": MotorCalibration(8, 0, 0, 0, 4095),
    "base_right_wheel": MotorCalibration(9, 0, 0, 0, 4095),
}


@pytest.fixture(scope="session")
def calibration() -> dict[str, MotorCalibration]:
    return CALIBRATION


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"lekiwi": CALIBRATION}


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of a robot called kiwi."""
    save_calibration(tmp_path / "calibrations" / "kiwi.json", CALIBRATION)
    return tmp_path / "calibrations"


class HostThread:
    """A host that drives a robot in a thread of its own, as fast as it can.

    Attributes:
        robot: the robot.
        options: where it listens.
        failure: what ended it, if anything did.
    """

    def __init__(self, robot: LeKiwi, options: HostOptions, *, watchdog_s: float, stop_after_s: float) -> None:
        self.robot = robot
        self.options = options
        self.failure: BaseException | None = None
        self._limits = watchdog_s, stop_after_s
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        watchdog_s, stop_after_s = self._limits
        safety = SafetyConfig(stop_after_s=stop_after_s, ramp_s=0.0)
        try:
            with (
                HostSockets(self.options, list(self.robot.cameras)) as sockets,
                GatedRobot.connected(cast("Any", self.robot), safety) as gated,
            ):
                host = Host(self.robot, gated, sockets, watchdog_s=watchdog_s)
                while not self._stopping.is_set():
                    host.tick()
                    self._ready.set()
        except BaseException as error:
            self.failure = error
        finally:
            self._ready.set()


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two ports that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture
def host(calibrations: Path, ports: tuple[int, int]) -> Callable[..., HostThread]:
    """Make hosts of a virtual robot."""

    def host(line: VirtualBus, *, watchdog_s: float = 0.1, stop_after_s: float = 0.2, **fields: Any) -> HostThread:
        config = LeKiwiConfig(port=line.port, id="kiwi", calibration_dir=calibrations, **{"cameras": {}, **fields})
        options = HostOptions(port_zmq_cmd=ports[0], port_zmq_observations=ports[1])
        return HostThread(LeKiwi(config), options, watchdog_s=watchdog_s, stop_after_s=stop_after_s)

    return host
