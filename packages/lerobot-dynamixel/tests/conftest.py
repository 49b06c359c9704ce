"""Virtual servos and buses on them."""

import multiprocessing
from collections.abc import Callable, Iterator

import pytest

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.dynamixel.virtual import DynamixelServo
from lerobot.dynamixel.virtual.arms import koch as koch_arm
from lerobot.motors import MotorNormMode
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.dynamixel.virtual"])


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
def koch(start: Callable[[LineSpec], VirtualBus]) -> VirtualBus:
    return start(koch_arm())


@pytest.fixture
def koch_bus(koch: VirtualBus) -> Iterator[DynamixelMotorsBus]:
    """A connected bus of six servos, torque off, with the motors' own calibration."""
    bus = DynamixelMotorsBus(koch.port, koch.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    bus.calibration = bus.read_calibration()
    koch.packets()
    yield bus
    if bus.is_connected:
        bus.disconnect(disable_torque=False)


@pytest.fixture
def one(start: Callable[[LineSpec], VirtualBus]) -> Callable[..., VirtualBus]:
    """Start a line of one servo."""

    def one(model: str = "xl330-m288", **fields: object) -> VirtualBus:
        return start(LineSpec(DynamixelServo, (ServoSpec(1, model, **fields),), ("joint",)))  # type: ignore[arg-type]

    return one
