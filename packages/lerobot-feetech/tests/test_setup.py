"""Finding motors and giving new ones their ids."""

from collections.abc import Callable

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.feetech import FeetechMotorsBus
from lerobot.feetech.virtual import FeetechServo
from lerobot.motors import Motor, MotorError, MotorNormMode
from lerobot.motors.serial.wire import LOST
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus

GRIPPER = {"gripper": Motor(6, "sts3215", MotorNormMode.RANGE_0_100)}


def test_a_new_motor_gets_its_id_for_good(one: Callable[..., VirtualBus]) -> None:
    line = one()
    bus = FeetechMotorsBus(line.port, GRIPPER)
    bus.setup_motor("gripper")
    assert bus.ping("gripper") == 777
    line.power(False)
    line.power(True)
    assert bus.ping(6) == 777
    assert bus.ping(1) is None
    bus.disconnect(disable_torque=False)


def test_a_motor_at_another_speed_is_brought_to_the_bus_speed(one: Callable[..., VirtualBus]) -> None:
    line = one(registers={"Baud_Rate": 4})
    bus = FeetechMotorsBus(line.port, GRIPPER)
    bus.setup_motor("gripper", initial_baudrate=115_200)
    assert bus.get_baudrate() == 1_000_000
    assert bus.ping("gripper") == 777
    bus.disconnect(disable_torque=False)


@pytest.mark.parametrize("register", ["ID", "Baud_Rate"])
def test_a_lost_acknowledgement_is_no_failure(one: Callable[..., VirtualBus], register: str) -> None:
    line = one(registers={"Baud_Rate": 4})
    bus = FeetechMotorsBus(line.port, GRIPPER)
    bus.retries = bus.link.retries = 1
    address, _ = bus.address(register, "sts3215")
    write = bus.link.wire.write

    def unheard(motor_id: int, at: int, data: bytes):
        reply = write(motor_id, at, data)
        return LOST if at == address else reply

    bus.link.wire.write = unheard
    bus.setup_motor("gripper", initial_baudrate=115_200, initial_id=1)
    assert bus.ping("gripper") == 777
    bus.disconnect(disable_torque=False)


def test_an_id_that_was_not_taken_is_a_failure(one: Callable[..., VirtualBus], monkeypatch) -> None:
    line = one()
    bus = FeetechMotorsBus(line.port, GRIPPER)
    bus.connect(handshake=False)
    monkeypatch.setattr(bus.link.wire, "write", lambda motor_id, at, data: LOST)
    monkeypatch.setattr(bus, "disable_torque_of", lambda motor_id, model: None)
    with pytest.raises(DeviceConnectionError, match="Failed to write 'ID'"):
        bus.setup_motor("gripper", initial_baudrate=1_000_000, initial_id=1)
    bus.disconnect(disable_torque=False)


def test_several_motors_are_refused(start: Callable[[LineSpec], VirtualBus]) -> None:
    line = start(LineSpec(FeetechServo, (ServoSpec(1, "sts3215"), ServoSpec(2, "sts3215")), ("a", "b")))
    bus = FeetechMotorsBus(line.port, GRIPPER)
    with pytest.raises(MotorError, match="Found 2 motors at 1000000 baud") as caught:
        bus.setup_motor("gripper")
    assert "only the 'gripper' motor" in caught.value.hint
    assert line.state(1)["ID"] == 1
    bus.disconnect(disable_torque=False)


def test_a_motor_of_another_model_is_refused(one: Callable[..., VirtualBus]) -> None:
    line = one(model="sts3250")
    bus = FeetechMotorsBus(line.port, GRIPPER)
    with pytest.raises(MotorError, match="its model number is 2825") as caught:
        bus.setup_motor("gripper")
    assert caught.value.expected == "777 (sts3215)"
    bus.disconnect(disable_torque=False)


def test_silence_is_told(one: Callable[..., VirtualBus]) -> None:
    line = one(registers={"Baud_Rate": 4})
    bus = FeetechMotorsBus(line.port, GRIPPER)
    with pytest.raises(MotorError, match=r"'gripper' .* was not found"):
        bus.setup_motor("gripper", initial_baudrate=1_000_000)
    bus.disconnect(disable_torque=False)


def test_a_port_is_scanned_at_every_speed(start: Callable[[LineSpec], VirtualBus], monkeypatch) -> None:
    servos = (ServoSpec(1, "sts3215"), ServoSpec(7, "sts3215", registers={"Baud_Rate": 4}))
    line = start(LineSpec(FeetechServo, servos, ("a", "b")))
    monkeypatch.setattr(FeetechMotorsBus, "available_baudrates", (115_200, 500_000, 1_000_000))
    assert FeetechMotorsBus.scan_port(line.port) == {115_200: [7], 1_000_000: [1]}


def test_scs_servos_are_found_one_by_one(one: Callable[..., VirtualBus], monkeypatch) -> None:
    line = one(model="scs0009", position=300)
    monkeypatch.setattr("lerobot.motors.serial.setup.LARGEST_ID", 5)
    bus = FeetechMotorsBus(line.port, {"thumb": Motor(3, "scs0009", MotorNormMode.RANGE_0_100)}, protocol_version=1)
    bus.setup_motor("thumb")
    assert bus.ping("thumb") == 1284
    bus.disconnect(disable_torque=False)
