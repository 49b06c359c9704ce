"""Virtual reBot arms, the calibrations they hold, and the recorded sessions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lerobot.motors import MotorCalibration
from lerobot.motors.testing import calibrations, quick, start

__all__ = ["calibrations", "captured", "held", "quick", "start"]

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CAPTURES = SHARED / "golden" / "hardware"
RANGES = ((-150, 150), (-200, 1), (-200, 1), (-80, 90), (-90, 90), (-90, 90), (-270, 0))
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_yaw", "wrist_roll", "gripper")


def calibration(first_id: int) -> dict[str, MotorCalibration]:
    """The calibration of an arm whose ids begin with a number."""
    return {
        joint: MotorCalibration(number, 0, 0, *ends)
        for number, (joint, ends) in enumerate(zip(JOINTS, RANGES, strict=True), first_id)
    }


@pytest.fixture(scope="session")
def held() -> Mapping[str, dict[str, MotorCalibration]]:
    return {"rebot_b601": calibration(1), "rebot_102": calibration(0)}


@pytest.fixture
def captured() -> Callable[[str], Any]:
    """Reads a file of a recorded session of huggingface/lerobot."""
    if not CAPTURES.is_dir():
        pytest.skip(f"{CAPTURES} is not there")

    def read(name: str) -> Any:
        text = (CAPTURES / name).read_text()
        return [json.loads(line) for line in text.splitlines()] if name.endswith("jsonl") else json.loads(text)

    return read
