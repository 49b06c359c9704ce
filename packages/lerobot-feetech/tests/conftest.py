"""Virtual arms and buses on them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.motors import DynamixelMotorsBus, FeetechMotorsBus, MotorNormMode
from lerobot.motors.virtual import ARMS, LineSpec, ServoSpec, VirtualBus

SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.fixture
def calibration_files() -> list[Path]:
    folder = SHARED / "data" / "calibration"
    if not folder.is_dir():
        pytest.skip("the shared calibration files are not here")
    return sorted(folder.rglob("*.json"))


@pytest.fixture
def start() -> Iterator[Callable[[LineSpec], VirtualBus]]:
    """Start virtual lines that end with the test."""
    running: list[VirtualBus] = []

    def start(spec: LineSpec) -> VirtualBus:
        running.append(VirtualBus(spec))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def arm(start: Callable[[LineSpec], VirtualBus]) -> VirtualBus:
    return start(ARMS["so101"])


@pytest.fixture
def koch(start: Callable[[LineSpec], VirtualBus]) -> VirtualBus:
    return start(ARMS["koch"])


def closed(bus: FeetechMotorsBus | DynamixelMotorsBus) -> None:
    if bus.is_connected:
        bus.disconnect(disable_torque=False)


@pytest.fixture
def bus(arm: VirtualBus) -> Iterator[FeetechMotorsBus]:
    """A connected SO-101 bus, torque off, with the motors' own calibration."""
    bus = FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    bus.calibration = bus.read_calibration()
    arm.packets()
    yield bus
    closed(bus)


@pytest.fixture
def koch_bus(koch: VirtualBus) -> Iterator[DynamixelMotorsBus]:
    """A connected Koch bus, torque off, with the motors' own calibration."""
    bus = DynamixelMotorsBus(koch.port, koch.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    bus.calibration = bus.read_calibration()
    koch.packets()
    yield bus
    closed(bus)


@pytest.fixture
def one(start: Callable[[LineSpec], VirtualBus]) -> Callable[..., VirtualBus]:
    """Start a line of one servo."""

    def one(model: str = "sts3215", **fields: object) -> VirtualBus:
        return start(LineSpec((ServoSpec(1, model, **fields),), ("joint",)))  # type: ignore[arg-type]

    return one
