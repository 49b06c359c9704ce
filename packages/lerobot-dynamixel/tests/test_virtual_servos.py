"""What virtual servos do, apart from any bus; with time given, not measured."""

import pytest
from dynamixel_sdk.protocol2_packet_handler import Protocol2PacketHandler
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.dynamixel.tables import X_SERIES
from lerobot.dynamixel.virtual.framing import DynamixelFraming, crc16
from lerobot.dynamixel.virtual.servo import DynamixelServo
from lerobot.motors.virtual import ServoSpec


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_crc_is_the_sdk_s(data: bytes) -> None:
    assert crc16(data) == Protocol2PacketHandler().updateCRC(0, data, len(data))


def test_a_dynamixel_packet_of_the_manual() -> None:
    """PING of id 1 in the e-Manual: FF FF FD 00 01 03 00 01 19 4E."""
    buffer = bytearray(bytes.fromhex("fffffd00010300" + "01" + "194e"))
    found = DynamixelFraming().take(buffer)
    assert found is not None
    assert (found.id, found.code, found.parameters) == (1, 1, b"")
    assert DynamixelFraming().status(1, 0, bytes.fromhex("060426")) == bytes.fromhex(
        "fffffd0001070055000604" + "26655d"
    )


def test_a_dynamixel_servo_shuts_down_after_a_stall_until_it_is_rebooted() -> None:
    servo = DynamixelServo(ServoSpec(1, "xl330-m288", stops=(1000, 3000)), 5.0, 0.0)
    servo.write(X_SERIES["Torque_Enable"][0], b"\1")
    servo.write(X_SERIES["Goal_Position"][0], (3500).to_bytes(4, "little"))
    for now in (1.0, 1.5, 2.5, 2.6):
        servo.refresh(now)
    assert servo.memory["Hardware_Error_Status"] == 32
    assert servo.memory["Torque_Enable"] == 0
    assert servo.error() == 0x80
    servo.power_on()
    assert servo.error() == 0


def test_a_dynamixel_servo_follows_its_profile() -> None:
    servo = DynamixelServo(ServoSpec(1, "xl330-m288"), 5.0, 0.0)
    servo.write(X_SERIES["Torque_Enable"][0], b"\1")
    servo.write(X_SERIES["Profile_Velocity"][0], (100).to_bytes(4, "little"))
    servo.write(X_SERIES["Goal_Position"][0], (4000).to_bytes(4, "little"))
    servo.refresh(0.5)
    # 100 units of 0.229 rpm are 1563 steps/s.
    assert servo.memory["Present_Velocity"] == 100
    assert servo.memory["Present_Position"] == pytest.approx(2048 + 782, abs=40)
    servo.refresh(5.0)
    assert servo.memory["Present_Position"] == 4000
    assert servo.memory["Moving"] == 0


def test_a_servo_takes_writes_to_the_ram_of_the_one_it_names_second() -> None:
    servo = DynamixelServo(ServoSpec(3, "xm430-w350", registers={"Secondary_ID": 2}), 12.0, 0.0)
    ram, eeprom = X_SERIES["Goal_Position"][0], X_SERIES["Homing_Offset"][0]
    assert servo.also_hears(2, ram)
    assert not servo.also_hears(2, eeprom)
    assert not servo.also_hears(4, ram)
    assert not DynamixelServo(ServoSpec(3, "xm430-w350"), 12.0, 0.0).also_hears(255, ram)
