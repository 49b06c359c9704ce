"""What the motors of virtual OpenArms hold, and recorded sessions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.motors import MotorCalibration
from lerobot.motors.testing import calibrations, quick, start
from lerobot.openarm.joints import MOTORS

__all__ = ["calibrations", "captured", "held", "quick", "start"]

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "data" / "golden" / "hardware" / "openarm"

ARM = {name: MotorCalibration(entry[0], 0, 0, -90, 90) for name, entry in MOTORS.items()}
MINI = {name: MotorCalibration(entry[0], 0, 0, 0, 4095) for name, entry in MOTORS.items()}
MINI["gripper"] = MotorCalibration(8, 0, 0, 1500, 2500)


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return {"openarm": ARM, "openarm_mini": MINI}


@pytest.fixture
def captured() -> Callable[[str], Any]:
    """Content of a file of recorded sessions: a list of lines, or one value."""

    def read(name: str) -> Any:
        path = CAPTURES / name
        if not path.is_file():
            pytest.skip("the shared captures are not here")
        text = path.read_text()
        return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)

    return read
