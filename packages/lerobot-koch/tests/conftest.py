"""What the motors of virtual Koch arms hold."""

import pytest

from lerobot.motors import MotorCalibration
from lerobot.motors.testing import calibrations, quick, start

__all__ = ["calibrations", "held", "quick", "start"]

FOLLOWER = {
    "shoulder_pan": MotorCalibration(1, 0, 0, 0, 4095),
    "shoulder_lift": MotorCalibration(2, 0, 10, 800, 3200),
    "elbow_flex": MotorCalibration(3, 0, -20, 900, 3100),
    "wrist_flex": MotorCalibration(4, 0, 0, 700, 3300),
    "wrist_roll": MotorCalibration(5, 0, 0, 0, 4095),
    "gripper": MotorCalibration(6, 0, 0, 1800, 3000),
}
LEADER = {**FOLLOWER, "elbow_flex": MotorCalibration(3, 1, -20, 900, 3100)}


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"koch": FOLLOWER, "koch_leader": LEADER}
