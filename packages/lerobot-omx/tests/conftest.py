"""OMX arms come aligned, so that their calibration is known."""

import pytest

from lerobot.motors import MotorCalibration
from lerobot.motors.testing import calibrations, quick, start
from lerobot.omx.tables import FOLLOWER, LEADER

__all__ = ["calibrations", "held", "quick", "start"]


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"omx": FOLLOWER.known_calibration or {}, "omx_leader": LEADER.known_calibration or {}}
