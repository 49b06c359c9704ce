"""The Dynamixel bus on virtual servos."""

from collections.abc import Callable

import pytest

from lerobot.core.errors import CalibrationError
from lerobot.dynamixel import DynamixelMotorsBus, OperatingMode
from lerobot.motors import Motor, MotorCalibration, MotorError, MotorNormMode
from lerobot.motors.serial.sweep import Sweep, from_sweep
from lerobot.motors.virtual import VirtualBus


def test_a_group_is_read_with_one_packet(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    assert koch_bus.sync_read("Present_Position", normalize=False) == dict.fromkeys(koch.spec.names, 2048)
    # The example of the e-Manual for SYNC READ of Present_Position (132, 4 bytes), with ids 1 to 6.
    (packet,) = koch.packets()
    assert packet[:-2] == bytes.fromhex("fffffd00fe0d008284000400010203040506")


def test_negative_numbers_are_twos_complement(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    koch_bus.write("Homing_Offset", "gripper", -1000)
    assert koch.state(6)["Homing_Offset"] == 2**32 - 1000
    assert koch_bus.read("Homing_Offset", "gripper") == -1000
    assert koch_bus.read("Present_Position", "gripper", normalize=False) == 1048


def test_a_value_that_looks_like_a_header_arrives(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    """-131073 is FF FF FD FF: the protocol stuffs it, which the SDK computes and forgets."""
    koch_bus.write("Goal_Position", "elbow_flex", -131073, normalize=False)
    assert koch_bus.read("Goal_Position", "elbow_flex", normalize=False) == -131073
    koch_bus.sync_write("Goal_Position", {"gripper": -131073, "wrist_roll": 7}, normalize=False)
    assert koch.state(6)["Goal_Position"] == 2**32 - 131073
    assert koch.state(5)["Goal_Position"] == 7


def test_what_a_servo_refuses_is_told(koch_bus: DynamixelMotorsBus) -> None:
    koch_bus.enable_torque("gripper")
    with pytest.raises(MotorError, match="'gripper' refused, the register cannot be accessed now"):
        koch_bus.write("Operating_Mode", "gripper", OperatingMode.EXTENDED_POSITION.value)


def test_torque_comes_on_without_a_jump(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    koch_bus.sync_write("Goal_Position", 3000, normalize=False)
    koch_bus.enable_torque()
    assert koch.state(1)["position"] == 2048
    assert koch_bus.read("Goal_Position", "shoulder_pan", normalize=False) == 2048


def test_calibration_is_compared_whole(koch_bus: DynamixelMotorsBus) -> None:
    held = koch_bus.read_calibration()
    assert koch_bus.is_calibrated
    koch_bus.calibration = {**held, "gripper": MotorCalibration(6, 1, 0, 0, 4095)}
    assert not koch_bus.is_calibrated
    koch_bus.write("Drive_Mode", "gripper", 1)
    assert koch_bus.is_calibrated


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (MotorCalibration(6, 0, 0, 3300, 700), "gripper: range_min is 3300; allowed is less than range_max"),
        (MotorCalibration(6, 0, 0, 700, 5000), "gripper: range_max is 5000; allowed is 0 to 4095"),
        (MotorCalibration(6, 0, 1_044_480, 700, 3300), "homing_offset is 1044480; allowed is -1044479 to 1044479"),
        (MotorCalibration(5, 0, 0, 700, 3300), "gripper: id is 5"),
    ],
)
def test_an_impossible_calibration_is_not_written(koch: VirtualBus, koch_bus: DynamixelMotorsBus, entry, told) -> None:
    held = koch_bus.read_calibration()
    koch.packets()
    with pytest.raises(CalibrationError, match=told):
        koch_bus.write_calibration({**held, "gripper": entry})
    with pytest.raises(CalibrationError, match=told):
        DynamixelMotorsBus(koch.port, koch_bus.motors, {"gripper": entry})
    assert koch.packets() == []
    assert koch_bus.calibration == held


def test_a_reversed_servo_reports_the_other_direction(one: Callable[..., VirtualBus]) -> None:
    line = one(model="xl330-m288", position=1000)
    bus = DynamixelMotorsBus(line.port, {"joint": Motor(1, "xl330-m288", MotorNormMode.DEGREES)})
    bus.connect()
    bus.write("Operating_Mode", "joint", OperatingMode.EXTENDED_POSITION.value)
    bus.write("Drive_Mode", "joint", 1)
    assert bus.read("Present_Position", "joint", normalize=False) == -1000
    bus.set_half_turn_homings()
    assert bus.read("Present_Position", "joint", normalize=False) == 2047
    bus.disconnect()


def test_configuring_shortens_the_answer(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    koch_bus.configure_motors()
    assert [koch.state(i)["Return_Delay_Time"] for i in range(1, 7)] == [0] * 6


def test_all_motors_are_found_with_one_packet(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    assert koch_bus.broadcast_ping() == {1: 1060, 2: 1060, 3: 1200, 4: 1200, 5: 1200, 6: 1200}
    assert len(koch.packets()) == 1


def test_a_new_motor_is_set_up(one: Callable[..., VirtualBus]) -> None:
    line = one(model="xl330-m288", registers={"Baud_Rate": 1})
    bus = DynamixelMotorsBus(line.port, {"gripper": Motor(6, "xl330-m288", MotorNormMode.RANGE_0_100)})
    bus.setup_motor("gripper", initial_baudrate=57_600, initial_id=1)
    assert bus.ping("gripper") == 1200
    bus.disconnect(disable_torque=False)


def test_the_middle_of_a_multi_turn_servo_is_homed_too() -> None:
    bus = DynamixelMotorsBus("unused", {"joint": Motor(1, "xl330-m288", MotorNormMode.DEGREES)})
    sweep = Sweep(-9000, 4096)
    for reading in range(-8900, -9000 + 2001, 100):
        sweep.add(reading)
    found = from_sweep(bus, "joint", sweep)
    assert (found.homing_offset, found.range_min, found.range_max) == (2047 + 8000, 1047, 3047)


def test_a_motor_tells_what_it_feels_with_one_packet(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    """An XL330 has Present Current in mA at 126, an XL430 Present Load in tenths of a percent."""
    koch_bus.write("Torque_Enable", "gripper", 1)
    koch.packets()
    health = koch_bus.health_of("gripper")
    (packet,) = koch.packets()
    # READ of 21 bytes from 126 (0x7e), of the servo with the id 6.
    assert packet[:-2] == bytes.fromhex("fffffd00060700027e001500")
    state = koch.state(6)
    assert (health.temperature_c, health.load_percent) == (state["Present_Temperature"], None)
    assert health.current_ma == pytest.approx(abs(state["Present_Current"]), abs=5)
    other = koch_bus.health_of("shoulder_pan")
    assert other.current_ma is None
    assert other.load_percent == pytest.approx(abs(koch.state(1)["Present_Current"]) / 10, abs=1)
