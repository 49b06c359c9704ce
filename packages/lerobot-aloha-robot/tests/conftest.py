"""Virtual ALOHA arms, and what their motors hold."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from lerobot.aloha_robot.tables import FOLLOWER, LEADER
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.dynamixel.virtual"])

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


CALIBRATIONS = {"aloha": _calibration(FOLLOWER), "aloha_leader": _calibration(LEADER)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    for module in ("follower", "pair"):
        monkeypatch.setattr(f"lerobot.motors.arms.{module}.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[..., VirtualBus]]:
    """Start virtual arms that hold the calibration of this file, with `registers` by servo id on top of it."""
    running: list[VirtualBus] = []

    def start(
        name: str, *, calibrated: bool = True, registers: Mapping[int, Mapping[str, int]] | None = None
    ) -> VirtualBus:
        spec = with_calibration(ARMS[name], CALIBRATIONS[name]) if calibrated else ARMS[name]
        for servo in spec.servos:
            servo.registers.update((registers or {}).get(servo.id, {}))  # type: ignore[attr-defined]
        running.append(VirtualBus(spec))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of followers called black and of leaders called blue, single and in pairs."""
    for name, arm in (("black", "aloha"), ("blue", "aloha_leader")):
        for side in ("", "_left", "_right"):
            save_calibration(tmp_path / "calibrations" / f"{name}{side}.json", CALIBRATIONS[arm])
    return tmp_path / "calibrations"
