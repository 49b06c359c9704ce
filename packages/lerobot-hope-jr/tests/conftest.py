"""A virtual HopeJR arm and hand, wearables that print lines, and the calibration of each."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.core.testing import ScriptedPrompter
from lerobot.hope_jr.sensors import EXOSKELETON, GLOVES, Sensor
from lerobot.hope_jr.tables import ARM, HANDS
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.testing import quick, start
from lerobot.motors.virtual import Printer

__all__ = ["calibrations", "held", "quick", "start", "wearable", "wearer"]


def worn(sensors: dict[str, Sensor]) -> dict[str, MotorCalibration]:
    return {name: MotorCalibration(i, s.drive_mode, 0, 500, 3500) for i, (name, s) in enumerate(sensors.items())}


CALIBRATIONS = {
    "hope_jr_arm": {name: MotorCalibration(j.motor_id, 0, 15, 1000, 3000) for name, j in ARM.joints.items()},
    "hope_jr_hand": {
        name: MotorCalibration(j.motor_id, j.drive_mode, 0, 200, 900) for name, j in HANDS["right"].joints.items()
    },
    "glove": worn(dict(GLOVES["right"])),
    "exoskeleton": worn(dict(EXOSKELETON)),
}


@pytest.fixture(scope="session")
def held() -> dict[str, dict[str, MotorCalibration]]:
    return CALIBRATIONS


class Wearer(ScriptedPrompter):
    """Somebody who moves every joint of a wearable from end to end when told to."""

    def __init__(self, device: Printer, fields: int) -> None:
        super().__init__()
        self._device, self._fields = device, fields
        self._poses: list[int] = []

    def ask(self, text: str) -> str:
        self._poses = [500, 500, 3500, 3500, 2000]
        return super().ask(text)

    def pressed_enter(self) -> bool:
        if not self._poses:
            return True
        self._device.wear([self._poses.pop(0)] * self._fields)
        while not self._device.is_seen():
            time.sleep(0.005)
        return False


@pytest.fixture
def wearable() -> Iterator[Callable[[str], Printer]]:
    """Start devices that print a line again and again."""
    running: list[Printer] = []

    def make(text: str) -> Printer:
        running.append(Printer(text))
        running[-1].switch_on()
        return running[-1]

    yield make
    for device in running:
        device.unplug()


@pytest.fixture
def wearer() -> type[Wearer]:
    return Wearer


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of each kind of device, under its name in `CALIBRATIONS`."""
    for name, calibration in CALIBRATIONS.items():
        save_calibration(tmp_path / "calibrations" / f"{name}.json", calibration)
    return tmp_path / "calibrations"
