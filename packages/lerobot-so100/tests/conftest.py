"""Virtual SO-101 arms, and someone who calibrates them."""

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, Sweeper, VirtualBus, with_calibration

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.feetech.virtual"])

CALIBRATION = {
    "shoulder_pan": MotorCalibration(1, 0, 1603, 761, 3280),
    "shoulder_lift": MotorCalibration(2, 0, -1720, 814, 3171),
    "elbow_flex": MotorCalibration(3, 0, -1799, 898, 3113),
    "wrist_flex": MotorCalibration(4, 0, 1156, 746, 3074),
    "wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "gripper": MotorCalibration(6, 0, 990, 2013, 3514),
}


@pytest.fixture(autouse=True)
def _short_camera_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("follower", "pair"):
        monkeypatch.setattr(f"lerobot.motors.arms.{module}.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[[], VirtualBus]]:
    """Start virtual arms that hold `CALIBRATION`."""
    running: list[VirtualBus] = []

    def start() -> VirtualBus:
        running.append(VirtualBus(with_calibration(ARMS["so101"], CALIBRATION)))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def arm(start: Callable[[], VirtualBus]) -> VirtualBus:
    return start()


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of arms called black, black_left and black_right."""
    for name in ("black", "black_left", "black_right"):
        save_calibration(tmp_path / "calibrations" / f"{name}.json", CALIBRATION)
    return tmp_path / "calibrations"


@pytest.fixture
def sweeper() -> type[Sweeper]:
    return Sweeper
