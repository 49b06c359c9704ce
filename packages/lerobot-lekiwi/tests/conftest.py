"""A virtual LeKiwi, and the calibration its servos hold."""

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.feetech.virtual"])

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


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    monkeypatch.setattr("lerobot.motors.arms.follower.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[..., VirtualBus]]:
    """Start a virtual LeKiwi that holds `CALIBRATION`."""
    running: list[VirtualBus] = []

    def start(*, calibrated: bool = True) -> VirtualBus:
        running.append(VirtualBus(with_calibration(ARMS["lekiwi"], CALIBRATION) if calibrated else ARMS["lekiwi"]))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of a robot called kiwi."""
    save_calibration(tmp_path / "calibrations" / "kiwi.json", CALIBRATION)
    return tmp_path / "calibrations"
