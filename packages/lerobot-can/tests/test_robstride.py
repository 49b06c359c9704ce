"""What a bus of RobStride motors does, on virtual motors in another process."""

from collections.abc import Callable, Iterator

import pytest

from lerobot.can import CanMotor, Impedance, PositionVelocity, RobstrideMotorsBus
from lerobot.can.virtual import CanLineSpec, CanMotorSpec, RobstrideMotor
from lerobot.core.errors import DeviceConnectionError
from lerobot.motors import MotorsBus
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.virtual import Fault, VirtualBus

HOST = 0xFD
SPEC = CanLineSpec(
    RobstrideMotor,
    {"hip": CanMotorSpec(CanMotor(1, "o3", reply_id=HOST)), "knee": CanMotorSpec(CanMotor(2, "o2", reply_id=HOST))},
)


@pytest.fixture
def legs(start: Callable[[CanLineSpec], VirtualBus]) -> VirtualBus:
    return start(SPEC)


@pytest.fixture
def bus(legs: VirtualBus) -> Iterator[RobstrideMotorsBus]:
    bus = RobstrideMotorsBus(legs.port, SPEC.can_motors, dict.fromkeys(SPEC.names, Impedance(60, 2)))
    bus.connect()
    yield bus
    if bus.is_connected:
        bus.disconnect(disable_torque=False)


def test_motors_are_driven_and_let_go(bus: RobstrideMotorsBus, legs: VirtualBus) -> None:
    assert isinstance(bus, MotorsBus)
    legs.move({1: 10.0, 2: -20.0})
    assert bus.sync_read("Present_Position") == pytest.approx({"hip": 10, "knee": -20}, abs=0.03)
    bus.enable_torque()
    bus.sync_write("Goal_Position", {"hip": 15.0})
    for _ in range(400):
        if bus.read("Present_Position", "hip") == pytest.approx(15.0, abs=0.1):
            break
    else:
        pytest.fail("it does not arrive")
    assert bus.sync_read("Torque_Enable") == {"hip": 1, "knee": 1}
    assert bus.read("Temperature_Rotor", "hip") == 30
    with pytest.raises(MotorValueError, match="does not tell"):
        bus.read("Temperature_MOS", "hip")
    bus.disconnect()
    assert [legs.state(i)["Torque_Enable"] for i in (1, 2)] == [0, 0]


def test_a_zero_is_set(bus: RobstrideMotorsBus, legs: VirtualBus) -> None:
    legs.move({1: 10.0})
    bus.set_zero("hip")
    assert bus.read("Present_Position", "hip") == pytest.approx(0, abs=0.03)


def test_faults_are_read_and_cleared(bus: RobstrideMotorsBus, legs: VirtualBus) -> None:
    bus.enable_torque()
    legs.fault(2, Fault.LOW_VOLTAGE)
    bus.sync_read("Present_Position")
    assert bus.read_faults() == {"hip": "", "knee": "under-voltage"}
    with pytest.raises(MotorError, match="'knee' has switched itself off: under-voltage"):
        bus.sync_write("Goal_Position", 1.0)
    legs.mend(2)
    bus.clear_faults()
    assert bus.read_faults() == {"hip": "", "knee": ""}


def test_lost_frames_are_asked_for_again(bus: RobstrideMotorsBus, legs: VirtualBus) -> None:
    for motor_id in (1, 2):
        legs.fault(motor_id, Fault.LOST, 0.1)
    for _ in range(20):
        assert bus.sync_read("Present_Position") == pytest.approx({"hip": 0, "knee": 0}, abs=0.03)
    assert bus.statistics.retries


def test_a_silent_motor_is_named(bus: RobstrideMotorsBus, legs: VirtualBus) -> None:
    legs.fault(2, Fault.MISSING)
    with pytest.raises(DeviceConnectionError, match="knee did not answer"):
        bus.sync_read("Present_Position")
    bus.disconnect(disable_torque=False)
    with pytest.raises(MotorError, match="knee did not answer"):
        bus.connect()


def test_there_are_no_other_drives_and_models() -> None:
    with pytest.raises(MotorValueError, match="not driven by"):
        RobstrideMotorsBus("can0", {"a": CanMotor(1, "o2")}, {"a": PositionVelocity(1.0)})
    with pytest.raises(MotorValueError, match="no CAN motor 'o7'"):
        RobstrideMotorsBus("can0", {"a": CanMotor(1, "o7")})
