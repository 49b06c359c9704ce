"""Virtual Koch arms, and what their motors hold."""

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.dynamixel.virtual"])

FOLLOWER = {
    "shoulder_pan": MotorCalibration(1, 0, 0, 0, 4095),
    "shoulder_lift": MotorCalibration(2, 0, 10, 800, 3200),
    "elbow_flex": MotorCalibration(3, 0, -20, 900, 3100),
    "wrist_flex": MotorCalibration(4, 0, 0, 700, 3300),
    "wrist_roll": MotorCalibration(5, 0, 0, 0, 4095),
    "gripper": MotorCalibration(6, 0, 0, 1800, 3000),
}
LEADER = {**FOLLOWER, "elbow_flex": MotorCalibration(3, 1, -20, 900, 3100)}
CALIBRATIONS = {"koch": FOLLOWER, "koch_leader": LEADER}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    for module in ("follower", "pair"):
        monkeypatch.setattr(f"lerobot.motors.arms.{module}.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[[str], VirtualBus]]:
    """Start virtual arms that hold the calibration of this file."""
    running: list[VirtualBus] = []

    def start(name: str, *, calibrated: bool = True) -> VirtualBus:
        spec = with_calibration(ARMS[name], CALIBRATIONS[name]) if calibrated else ARMS[name]
        running.append(VirtualBus(spec))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of followers called black and of leaders called blue, single and in pairs."""
    for name, calibration in (("black", FOLLOWER), ("blue", LEADER)):
        for side in ("", "_left", "_right"):
            save_calibration(tmp_path / "calibrations" / f"{name}{side}.json", calibration)
    return tmp_path / "calibrations"
