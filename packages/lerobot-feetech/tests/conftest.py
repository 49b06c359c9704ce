"""Virtual servos and buses on them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.feetech import FeetechMotorsBus
from lerobot.feetech.virtual import FeetechServo
from lerobot.feetech.virtual.arms import SO_STOPS
from lerobot.motors import MotorNormMode
from lerobot.motors.testing import held, start
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus

__all__ = ["arm", "bus", "calibration_files", "held", "one", "six", "start"]

SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.fixture
def calibration_files() -> list[Path]:
    folder = SHARED / "data" / "calibration"
    if not folder.is_dir():
        pytest.skip("the shared calibration files are not here")
    return sorted(folder.rglob("*.json"))


@pytest.fixture(scope="session")
def six() -> LineSpec:
    """Six servos with the names and the travel of an arm's joints."""
    servos = (ServoSpec(i, "sts3215", stops=stops) for i, stops in enumerate(SO_STOPS.values(), start=1))
    return LineSpec(FeetechServo, tuple(servos), tuple(SO_STOPS))


@pytest.fixture
def arm(start: Callable[[LineSpec], VirtualBus], six: LineSpec) -> VirtualBus:
    return start(six)


@pytest.fixture
def bus(arm: VirtualBus) -> Iterator[FeetechMotorsBus]:
    """A connected bus of six servos, torque off, with the motors' own calibration."""
    bus = FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    bus.calibration = bus.read_calibration()
    arm.packets()
    yield bus
    if bus.is_connected:
        bus.disconnect(disable_torque=False)


@pytest.fixture
def one(start: Callable[[LineSpec], VirtualBus]) -> Callable[..., VirtualBus]:
    """Start a line of one servo."""

    def one(model: str = "sts3215", **fields: object) -> VirtualBus:
        return start(LineSpec(FeetechServo, (ServoSpec(1, model, **fields),), ("joint",)))  # type: ignore[arg-type]

    return one
