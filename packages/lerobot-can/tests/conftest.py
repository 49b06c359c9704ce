"""Virtual CAN motors, and buses on them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.can import CanMotor, DamiaoMotorsBus, Impedance
from lerobot.can.virtual import CanLineSpec, CanMotorSpec, DamiaoMotor
from lerobot.motors.testing import held, start
from lerobot.motors.virtual import VirtualBus

__all__ = ["captured", "damiao", "held", "line", "start", "three"]

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "data" / "golden" / "hardware"


@pytest.fixture
def captured() -> Callable[[str], list[dict]]:
    """Lines of a recorded session by its name below the folder of captures."""

    def read(name: str) -> list[dict]:
        path = CAPTURES / name
        if not path.is_file():
            pytest.skip("the shared captures are not here")
        return [json.loads(line) for line in path.read_text().splitlines()]

    return read


@pytest.fixture(scope="session")
def three() -> CanLineSpec:
    """Three Damiao motors of three models."""
    motors = {"pan": "dm8009", "lift": "dm4340", "gripper": "dm4310"}
    specs = {
        name: CanMotorSpec(CanMotor(i, model, reply_id=0x10 + i)) for i, (name, model) in enumerate(motors.items(), 1)
    }
    return CanLineSpec(DamiaoMotor, specs)


@pytest.fixture
def line(start: Callable[[CanLineSpec], VirtualBus], three: CanLineSpec) -> VirtualBus:
    return start(three)


@pytest.fixture
def damiao(line: VirtualBus, three: CanLineSpec) -> Iterator[DamiaoMotorsBus]:
    """A connected bus of the three motors, torque off."""
    bus = DamiaoMotorsBus(line.port, three.can_motors, {name: Impedance(60, 2) for name in three.names})
    bus.connect()
    line.packets()
    yield bus
    if bus.is_connected:
        bus.disconnect(disable_torque=False)
