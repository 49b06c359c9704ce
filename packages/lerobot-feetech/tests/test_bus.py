"""The Feetech bus on virtual servos: bytes on the wire, units, torque, configuration."""

from collections.abc import Callable

import pytest

from lerobot.core.errors import AlreadyConnectedError, CalibrationError, DeviceConnectionError, NotConnectedError
from lerobot.feetech import FeetechMotorsBus
from lerobot.feetech.virtual import FeetechServo
from lerobot.motors import Motor, MotorCalibration, MotorNormMode, MotorValueError
from lerobot.motors.virtual import LineSpec, ServoSpec, VirtualBus, with_calibration


def test_a_group_is_read_with_one_packet(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    positions = bus.sync_read("Present_Position", normalize=False)
    # FF FF id=FE len=0A inst=82 address=56 length=2 ids 1..6 checksum
    assert arm.packets() == [bytes.fromhex("fffffe0a82380201020304050626")]
    assert positions == dict.fromkeys(arm.spec.names, 2048)


def test_a_group_is_written_with_one_packet(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    bus.sync_write("Goal_Position", {"shoulder_pan": 1000, "gripper": -3}, normalize=False)
    # two bytes at address 42 of id 1: 1000; of id 6: 3 with the sign in bit 15
    body = bytes([0xFE, 10, 0x83, 42, 2, 1, 0xE8, 0x03, 6, 0x03, 0x80])
    assert arm.packets() == [b"\xff\xff" + body + bytes([~sum(body) & 0xFF])]
    assert arm.state(1)["Goal_Position"] == 1000
    assert arm.state(6)["Goal_Position"] == 0x8003


def test_units_follow_the_calibration(bus: FeetechMotorsBus) -> None:
    bus.calibration["elbow_flex"] = MotorCalibration(3, 0, 0, 1000, 3000)
    assert bus.read("Present_Position", "elbow_flex") == pytest.approx(48 * 360 / 4095)
    bus.write("Goal_Position", "elbow_flex", 10.0)
    assert bus.read("Goal_Position", "elbow_flex", normalize=False) == int(10 * 4095 / 360 + 2000)
    assert bus.sync_read("Present_Position", ["gripper", 3], normalize=False) == {"gripper": 2048, "elbow_flex": 2048}


def test_only_positions_have_units(bus: FeetechMotorsBus) -> None:
    bus.calibration = {}
    assert bus.read("Present_Temperature", "gripper") == 28
    with pytest.raises(CalibrationError, match="no calibration registered for 'gripper'"):
        bus.read("Present_Position", "gripper")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda bus: bus.read("Present_Positon", "gripper"), "no register 'Present_Positon'"),
        (lambda bus: bus.read("Present_Position", "griper"), "no motor 'griper'"),
        (lambda bus: bus.sync_read("Present_Position", [9]), "no motor '9'"),
        (lambda bus: bus.write("Torque_Enable", "gripper", 256), "does not fit register"),
        (lambda bus: bus.write("Torque_Enable", "gripper", -1), "does not fit register"),
        (lambda bus: bus.write("Acceleration", "gripper", float("nan")), "nan is no register content"),
        (lambda bus: bus.write("Homing_Offset", "gripper", 2048), "exceeds 2047"),
        (lambda bus: bus.sync_write("Goal_Position", {"gripper": float("inf")}), "inf is no position"),
    ],
)
def test_a_wrong_request_is_named_and_nothing_is_sent(arm, bus, call, told) -> None:
    with pytest.raises(MotorValueError, match=told):
        call(bus)
    assert arm.packets() == []


def test_an_unknown_register_answers_with_the_nearest(bus: FeetechMotorsBus) -> None:
    with pytest.raises(MotorValueError) as caught:
        bus.read("Present_Positon", "gripper")
    assert "Present_Position" in caught.value.expected


def test_torque_comes_on_where_the_joint_is(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    """A stale goal must not make the arm jump when torque is switched on."""
    bus.sync_write("Goal_Position", 3000, normalize=False)
    arm.move({1: 1200})
    bus.enable_torque()
    before = arm.state(1)["position"]
    assert bus.read("Goal_Position", "shoulder_pan", normalize=False) == 1200
    assert arm.state(1)["position"] == before == 1200
    assert arm.state(1)["Torque_Enable"] == arm.state(1)["Lock"] == 1
    bus.disable_torque()
    assert arm.state(1)["Torque_Enable"] == arm.state(1)["Lock"] == 0


def test_torque_is_off_for_a_block_and_on_after_it_also_after_an_error(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    bus.enable_torque()

    def fail_while_off() -> None:
        with bus.torque_disabled("gripper"):
            assert arm.state(6)["Torque_Enable"] == 0
            assert arm.state(1)["Torque_Enable"] == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail_while_off()
    assert arm.state(6)["Torque_Enable"] == 1


def test_configuring_twice_writes_the_eeprom_once(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    bus.configure_motors()
    assert arm.state(2)["Return_Delay_Time"] == 0
    assert arm.state(2)["Maximum_Acceleration"] == arm.state(2)["Acceleration"] == 254
    arm.packets()
    bus.configure_motors()
    written = [packet[5] for packet in arm.packets() if packet[4] == 0x03]
    assert set(written) == {41}, "only Acceleration, which is no EEPROM register"


def test_multi_turn_feedback_is_switched_off(start: Callable[[LineSpec], VirtualBus]) -> None:
    line = start(
        LineSpec(FeetechServo, (ServoSpec(1, "sts3215", position=5000, registers={"Phase": 0x1C}),), ("joint",))
    )
    bus = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    assert bus.read("Present_Position", "joint", normalize=False) == 5000
    bus.configure_motors()
    assert bus.read("Phase", "joint") == 0x0C
    assert bus.read("Present_Position", "joint", normalize=False) == 5000 - 4096
    bus.disconnect()


def test_real_calibrations_are_recognised(start, six, calibration_files) -> None:
    from lerobot.motors import load_calibration

    path = next(path for path in calibration_files if path.name == "black.json")
    calibration = load_calibration(path)
    line = start(with_calibration(six, calibration))
    bus = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.RANGE_M100_100), calibration)
    bus.connect()
    assert bus.read_calibration() == calibration
    assert bus.is_calibrated
    line.move({servo.id: servo.stops[0] for servo in line.spec.servos})
    assert bus.sync_read("Present_Position") == pytest.approx(dict.fromkeys(line.spec.names, -100), abs=0.1)
    bus.calibration = {**calibration, "gripper": MotorCalibration(6, 0, 0, 1, 2)}
    assert not bus.is_calibrated
    bus.disconnect()


def test_life_cycle(arm: VirtualBus) -> None:
    bus = FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))
    with pytest.raises(NotConnectedError):
        bus.read("Present_Position", "gripper")
    with pytest.raises(NotConnectedError):
        bus.disconnect()
    bus.connect()
    with pytest.raises(AlreadyConnectedError):
        bus.connect()
    bus.enable_torque()
    bus.disconnect()
    assert not bus.is_connected
    assert arm.state(1)["Torque_Enable"] == 0
    bus.connect(handshake=False)
    bus.enable_torque()
    bus.disconnect(disable_torque=False)
    assert arm.state(1)["Torque_Enable"] == 1


def test_a_second_program_is_told_that_the_port_is_taken(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    other = FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))
    with pytest.raises(DeviceConnectionError, match="another program is using it"):
        other.connect()


def test_a_port_that_does_not_exist_says_so() -> None:
    bus = FeetechMotorsBus("/dev/ttyNOWHERE", {})
    with pytest.raises(
        DeviceConnectionError, match="Could not connect on port '/dev/ttyNOWHERE': there is no such port"
    ) as caught:
        bus.connect()
    assert "find-port" in caught.value.hint


def test_what_cannot_be_a_bus_is_refused() -> None:
    degrees = MotorNormMode.DEGREES
    with pytest.raises(MotorValueError, match="same id"):
        FeetechMotorsBus("unused", {"a": Motor(1, "sts3215", degrees), "b": Motor(1, "sts3215", degrees)})
    with pytest.raises(MotorValueError, match="unknown model 'sts3216'"):
        FeetechMotorsBus("unused", {"a": Motor(1, "sts3216", degrees)})
    with pytest.raises(MotorValueError, match="hand cannot be on a bus of protocol 0"):
        FeetechMotorsBus("unused", {"arm": Motor(1, "sts3215", degrees), "hand": Motor(2, "scs0009", degrees)})


def test_protocol_1_is_big_endian_and_reads_one_by_one(start: Callable[[LineSpec], VirtualBus]) -> None:
    servos = tuple(ServoSpec(i, "scs0009", position=300) for i in (1, 2))
    line = start(LineSpec(FeetechServo, servos, ("thumb", "index"), voltage=6.0))
    hand = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.RANGE_0_100), protocol_version=1)
    hand.connect()
    hand.calibration = hand.read_calibration()
    line.packets()
    assert hand.sync_read("Present_Position", normalize=False) == {"thumb": 300, "index": 300}
    assert [packet[4] for packet in line.packets()] == [0x02, 0x02]
    hand.write("Goal_Position", "thumb", 0x0123, normalize=False)
    assert line.packets()[0][5:8] == bytes([42, 0x01, 0x23])
    hand.disconnect()


def test_buses_of_both_protocols_live_in_one_process(bus: FeetechMotorsBus, one: Callable[..., VirtualBus]) -> None:
    """The SDK's byte order is a global of its module; ours belongs to each bus."""
    line = one(model="scs0009", position=300)
    hand = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.RANGE_0_100), protocol_version=1)
    hand.connect()
    for _ in range(3):
        assert hand.read("Present_Position", "joint", normalize=False) == 300
        assert bus.read("Present_Position", "gripper", normalize=False) == 2048
    hand.disconnect()
