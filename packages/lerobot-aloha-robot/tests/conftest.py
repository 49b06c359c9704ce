"""What the motors of virtual ALOHA arms hold."""

import pytest

from lerobot.aloha_robot.tables import FOLLOWER, LEADER
from lerobot.motors import MotorCalibration
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.testing import calibrations, quick, start

__all__ = ["calibrations", "held", "quick", "start"]

OFFSETS = {"shoulder": 10, "shoulder_shadow": 4100, "elbow": -20, "elbow_shadow": 4080}


def _calibration(table: ArmTable) -> dict[str, MotorCalibration]:
    return {
        name: MotorCalibration(
            joint.motor_id,
            joint.drive_mode,
            OFFSETS.get(name, 0),
            *((0, 4095) if joint.is_endless else (800, 3200)),
        )
        for name, joint in table.joints.items()
    }


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"aloha": _calibration(FOLLOWER), "aloha_leader": _calibration(LEADER)}
