"""Virtual servos and buses on them."""

from collections.abc import Callable, Iterator

import pytest

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.dynamixel.virtual import DynamixelServo
from lerobot.motors import MotorNormMode
from lerobot.motors.testing import held, start
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus

__all__ = ["held", "koch", "koch_bus", "one", "start"]

MODELS = {
    "shoulder_pan": "xl430-w250",
    "shoulder_lift": "xl430-w250",
    "elbow_flex": "xl330-m288",
    "wrist_flex": "xl330-m288",
    "wrist_roll": "xl330-m288",
    "gripper": "xl330-m288",
}


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
