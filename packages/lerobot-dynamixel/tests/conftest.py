"""Virtual servos and buses on them."""

import multiprocessing
from collections.abc import Callable, Iterator

import pytest

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.dynamixel.virtual import DynamixelServo
from lerobot.motors import MotorNormMode
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.dynamixel.virtual"])

MODELS = {
    "shoulder_pan": "xl430-w250",
    "shoulder_lift": "xl430-w250",
    "elbow_flex": "xl330-m288",
    "wrist_flex": "xl330-m288",
    "wrist_roll": "xl330-m288",
    "gripper": "xl330-m288",
}


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
    """Six servos like those of a Koch v1.1 follower."""
    servos = (ServoSpec(i, model, stops=(700, 3400)) for i, model in enumerate(MODELS.values(), start=1))
    return start(LineSpec(DynamixelServo, tuple(servos), tuple(MODELS), voltage=5.0))


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
