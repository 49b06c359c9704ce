"""What virtual servos do, apart from any bus: memory, motion, protection; with time given, not measured."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.feetech.tables import STS_SMS
from lerobot.feetech.virtual.framing import FeetechFraming
from lerobot.feetech.virtual.servo import FeetechServo
from lerobot.motors.virtual import ARMS, Fault, ServoSpec, VirtualBus


class Sts:
    """An STS3215 whose registers are written by name, at a time that only the test lets pass."""

    def __init__(self, **fields) -> None:
        self.servo = FeetechServo(ServoSpec(1, "sts3215", **fields), 7.4, 0.0)
        self.now = 0.0

    def write(self, **contents: int) -> None:
        for name, value in contents.items():
            address, length = STS_SMS[name]
            self.servo.write(address, value.to_bytes(length, "little"))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.servo.refresh(self.now)

    def __getitem__(self, name: str) -> int:
        return self.servo.memory[name]


@settings(deadline=None)
@given(st.binary(max_size=20))
def test_packets_are_found_behind_garbage(garbage: bytes) -> None:
    feetech = bytes.fromhex("ffff0104023802be")
    buffer = bytearray(garbage.replace(b"\xff", b"\x00") + feetech)
    found = FeetechFraming().take(buffer)
    assert found is not None
    assert (found.id, found.code, found.parameters, found.raw) == (1, 2, bytes([0x38, 2]), feetech)
    assert not buffer


def test_a_servo_moves_with_the_speed_it_was_given() -> None:
    sts = Sts()
    sts.write(Torque_Enable=1, Goal_Velocity=1000, Acceleration=254, Goal_Position=3048)
    sts.wait(0.5)
    assert sts["Moving"] == 1
    assert sts["Present_Velocity"] == 1000
    assert sts["Present_Position"] == pytest.approx(2048 + 500 - 1000**2 / 2 / 25_400, abs=5)
    sts.wait(1)
    assert (sts["Present_Position"], sts["Moving"], sts["Present_Velocity"]) == (3048, 0, 0)


def test_nothing_moves_without_torque() -> None:
    sts = Sts()
    sts.write(Goal_Position=3048)
    sts.wait(1)
    assert sts["Present_Position"] == 2048
    assert sts["Present_Load"] == 0


def test_goals_stay_within_the_limits_in_memory() -> None:
    sts = Sts(registers={"Min_Position_Limit": 1500, "Max_Position_Limit": 2500})
    sts.write(Torque_Enable=1, Goal_Position=4000)
    sts.wait(3)
    assert sts["Present_Position"] == 2500


def test_a_wheel_turns_at_its_velocity_in_both_directions() -> None:
    sts = Sts(registers={"Operating_Mode": 1})
    sts.write(Torque_Enable=1, Goal_Velocity=1024)
    sts.wait(2)
    assert sts.servo.mechanism.position == pytest.approx(2048 + 2048, abs=30)
    sts.write(Goal_Velocity=0x8000 | 1024)
    sts.wait(2)
    assert sts.servo.mechanism.position == pytest.approx(2048, abs=60)
    assert sts["Present_Velocity"] == 0x8000 | 1024


def test_step_mode_moves_by_what_is_written() -> None:
    sts = Sts(registers={"Operating_Mode": 3})
    sts.write(Torque_Enable=1, Goal_Position=0x8000 | 300)
    sts.wait(2)
    assert sts["Present_Position"] == 2048 - 300


def test_locked_eeprom_forgets() -> None:
    sts = Sts()
    sts.write(Lock=1, P_Coefficient=16)
    assert sts["P_Coefficient"] == 16
    sts.servo.power_on()
    assert sts["P_Coefficient"] == 32
    sts.write(Lock=0, P_Coefficient=16, Max_Torque_Limit=500)
    sts.servo.power_on()
    assert sts["P_Coefficient"] == 16
    assert sts["Torque_Limit"] == 500
    assert sts["Torque_Enable"] == 0


def test_a_stalled_servo_protects_itself_until_it_is_released() -> None:
    sts = Sts(stops=(1000, 3000))
    sts.write(Torque_Enable=1, Goal_Position=3500)
    sts.wait(1)
    sts.wait(0.1)
    assert sts["Present_Load"] == 1000
    assert sts["Status"] == 0
    sts.wait(2.1)
    sts.wait(0.1)
    assert sts["Status"] == 32
    assert sts["Present_Load"] == 200
    sts.write(Goal_Position=2000)
    sts.wait(2)
    assert sts["Status"] == 0
    assert sts["Present_Position"] == 2000


def test_load_heats_and_drains_the_supply() -> None:
    sts = Sts(stops=(1000, 3000), registers={"Overload_Torque": 200})
    sts.write(Torque_Enable=1, Goal_Position=3500)
    sts.wait(1)
    cool, full = sts["Present_Temperature"], sts["Present_Voltage"]
    sts.wait(300)
    assert sts["Present_Temperature"] > cool + 20
    assert sts["Present_Voltage"] == full == 70
    sts.wait(3000)
    assert sts["Status"] == 4, "overheating"
    sts.write(Torque_Enable=0)
    sts.wait(0.1)
    sts.wait(3000)
    assert sts["Present_Temperature"] == 28
    assert sts["Present_Voltage"] == 74


def test_writing_128_makes_the_pose_the_middle() -> None:
    sts = Sts(position=3000)
    sts.write(Torque_Enable=128)
    sts.wait(0.1)
    assert sts["Present_Position"] == 2048
    assert sts["Torque_Enable"] == 0
    sts.servo.power_on()
    assert sts["Present_Position"] == 2048


def test_a_dead_motor_answers_but_does_not_move() -> None:
    sts = Sts()
    sts.servo.set_fault(Fault.DEAD, None)
    sts.write(Torque_Enable=1, Goal_Position=3000)
    sts.wait(2)
    assert sts["Present_Position"] == 2048
    assert sts["Status"] == 2


def test_deferred_writes_wait_for_their_trigger() -> None:
    sts = Sts()
    address, _ = STS_SMS["Acceleration"]
    sts.servo.defer(address, b"\x32")
    assert sts["Acceleration"] == 0
    sts.servo.act()
    assert sts["Acceleration"] == 50


def test_a_closed_line_gives_its_descriptors_back_while_its_handle_is_kept() -> None:
    """A program that opens many virtual arms runs out of descriptors otherwise, and `select` ends at 1,024."""
    VirtualBus(ARMS["so101"]).close()  # the first one starts the fork server
    before = len(list(Path("/proc/self/fd").iterdir()))
    lines = [VirtualBus(ARMS["so101"]) for _ in range(3)]
    for line in lines:
        line.close()
        line.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
