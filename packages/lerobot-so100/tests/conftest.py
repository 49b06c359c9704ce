"""A virtual SO-101 arm, what its motors hold, and someone who calibrates it."""

from collections.abc import Callable

import pytest

from lerobot.motors import MotorCalibration
from lerobot.motors.testing import calibrations, quick, start
from lerobot.motors.virtual import Sweeper, VirtualBus

__all__ = ["arm", "calibrations", "held", "quick", "start", "sweeper"]

CALIBRATION = {
    "shoulder_pan": MotorCalibration(1, 0, 1603, 761, 3280),
    "shoulder_lift": MotorCalibration(2, 0, -1720, 814, 3171),
    "elbow_flex": MotorCalibration(3, 0, -1799, 898, 3113),
    "wrist_flex": MotorCalibration(4, 0, 1156, 746, 3074),
    "wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "gripper": MotorCalibration(6, 0, 990, 2013, 3514),
}


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"so101": CALIBRATION}


@pytest.fixture
def arm(start: Callable[[str], VirtualBus]) -> VirtualBus:
    return start("so101")


@pytest.fixture
def sweeper() -> type[Sweeper]:
    return Sweeper
