"""What a bus of Damiao motors does, on virtual motors in another process."""

import math
from collections.abc import Callable

import pytest

from lerobot.can import CanMotor, Channel, DamiaoMotorsBus, ForcePosition, Impedance, PositionVelocity
from lerobot.can.damiao.protocol import ControlMode, Register
from lerobot.can.virtual import CanLineSpec, Wire
from lerobot.core.errors import AlreadyConnectedError, DeviceConnectionError, NotConnectedError
from lerobot.motors import MotorCalibration, MotorsBus
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.virtual import Fault, VirtualBus

Bus = DamiaoMotorsBus
STEP_DEG = 25 / 65535 * 180 / math.pi
"""Resolution of a position."""


def ids(line: VirtualBus, data: int) -> list[int]:
    """Who was sent one of the frames that end in FC, FD, FE or FB, since the last call."""
    return [p[1] for p in line.packets() if p[2:] == b"\xff" * 7 + bytes([data])]


def arrive(bus: Bus, goals: dict[str, float]) -> None:
    for _ in range(400):
        here = bus.sync_read("Present_Position")
        if all(abs(here[name] - goal) < 0.1 for name, goal in goals.items()):
            return
    pytest.fail(f"{goals} were not reached: {here}")


def test_it_is_a_bus(damiao: Bus) -> None:
    assert isinstance(damiao, MotorsBus)


def test_connecting_moves_nothing_and_gives_no_torque(damiao: Bus, line: VirtualBus) -> None:
    """The peer enables every motor to see whether it is there."""
    damiao.disconnect(disable_torque=False)
    line.packets()
    damiao.connect()
    assert {packet[:2] for packet in line.packets()} == {b"\x07\xff"}
    assert damiao.sync_read("Torque_Enable") == dict.fromkeys(damiao.motors, 0)


def test_torque_comes_on_where_the_joints_are(damiao: Bus, line: VirtualBus) -> None:
    line.move({1: 20.0, 2: -35.0, 3: 5.0})
    before = damiao.sync_read("Present_Position")
    assert before == pytest.approx({"pan": 20.0, "lift": -35.0, "gripper": 5.0}, abs=STEP_DEG)
    damiao.enable_torque()
    assert damiao.sync_read("Torque_Enable") == dict.fromkeys(damiao.motors, 1)
    assert line.state(2)["goal"] == pytest.approx(-35.0, abs=2 * STEP_DEG)
    assert damiao.sync_read("Present_Position") == pytest.approx(before, abs=0.1)


def test_goals_are_reached_and_torque_ends(damiao: Bus, line: VirtualBus) -> None:
    damiao.enable_torque()
    goals = {"pan": 30.0, "gripper": -10.0}
    damiao.sync_write("Goal_Position", goals)
    arrive(damiao, goals)
    damiao.disable_torque("pan")
    assert [line.state(i)["Torque_Enable"] for i in (1, 2, 3)] == [0, 1, 1]
    damiao.disconnect()
    assert [line.state(i)["Torque_Enable"] for i in (1, 2, 3)] == [0, 0, 0]


def test_gains_are_written_with_the_next_goal(damiao: Bus, line: VirtualBus) -> None:
    damiao.enable_torque()
    damiao.write("Kp", "pan", 120.0)
    damiao.write("Kd", "pan", 1.5)
    assert (damiao.read("Kp", "pan"), damiao.read("Kd", "pan")) == (120.0, 1.5)
    damiao.write("Goal_Position", "pan", 1.0)
    assert (line.state(1)["kp"], line.state(1)["kd"]) == pytest.approx((120.0, 1.5), abs=0.2)
    with pytest.raises(MotorValueError, match="'pan': kd is 12"):
        damiao.write("Kd", "pan", 12.0)


def test_impossible_values_are_refused_before_anything_is_sent(damiao: Bus, line: VirtualBus) -> None:
    for name, value in (("Goal_Position", float("nan")), ("Goal_Position", 1e5), ("Present_Position", 1.0)):
        with pytest.raises(MotorValueError):
            damiao.sync_write(name, {"pan": 1.0, "lift": value})
    with pytest.raises(MotorValueError, match="no motor 'elbow'"):
        damiao.read("Present_Position", "elbow")
    with pytest.raises(MotorValueError, match="no 'Present_Load'"):
        damiao.read("Present_Load", "pan")
    with pytest.raises(MotorValueError, match="no CAN motor 'dm1'"):
        DamiaoMotorsBus("can0", {"a": CanMotor(1, "dm1")})
    with pytest.raises(MotorValueError, match="'a': kd is 12"):
        DamiaoMotorsBus("can0", {"a": CanMotor(1, "dm4310")}, {"a": Impedance(45, 12)})
    assert line.packets() == []


def test_zero_is_set_only_when_asked_and_kept(damiao: Bus, line: VirtualBus) -> None:
    line.move({1: 15.0, 2: 25.0})
    damiao.set_zero("pan")
    assert ids(line, 0xFE) == [1]
    assert damiao.sync_read("Present_Position") == pytest.approx({"pan": 0, "lift": 25, "gripper": 0}, abs=STEP_DEG)
    damiao.disconnect()
    line.power(False)
    line.power(True)
    damiao.connect()
    assert damiao.read("Present_Position", "pan") == pytest.approx(0, abs=STEP_DEG)
    assert ids(line, 0xFE) == []


def test_a_calibration_is_what_the_file_says(damiao: Bus) -> None:
    assert not damiao.is_calibrated
    damiao.write_calibration({name: MotorCalibration(m.id, 0, 0, -90, 90) for name, m in damiao.motors.items()})
    assert damiao.is_calibrated
    assert damiao.read_calibration() == damiao.calibration


@pytest.mark.parametrize("wire", list(Wire))
def test_control_modes_follow_the_drives(
    start: Callable[[CanLineSpec], VirtualBus], three: CanLineSpec, wire: Wire
) -> None:
    line = start(CanLineSpec(three.protocol, three.motors, wire))
    drives = {"pan": PositionVelocity(90.0), "lift": Impedance(60, 2), "gripper": ForcePosition(300.0, 0.1)}
    bus = DamiaoMotorsBus(line.port, three.can_motors, drives, channel=Channel(interface=wire.value))
    bus.connect()
    bus.configure_motors()
    assert list(bus.control_modes().values()) == [
        ControlMode.POSITION_VELOCITY,
        ControlMode.IMPEDANCE,
        ControlMode.FORCE_POSITION,
    ]
    line.packets()
    bus.configure_motors()
    assert all(packet[4] == 0x33 for packet in line.packets()), "nothing is written that is there already"
    bus.enable_torque()
    goals = {"pan": 10.0, "lift": -10.0, "gripper": -20.0}
    bus.sync_write("Goal_Position", goals)
    arrive(bus, goals)
    bus.disconnect()


def test_parameters_are_read_written_and_kept(damiao: Bus, line: VirtualBus) -> None:
    assert damiao.read_register(Register.VELOCITY_END) == {"pan": 45.0, "lift": 8.0, "gripper": 30.0}
    damiao.write_register(Register.TIMEOUT, {"lift": 20_000})
    damiao.store("lift")
    line.power(False)
    line.power(True)
    assert damiao.read_register(Register.TIMEOUT, ["lift", "pan"]) == {"lift": 20_000, "pan": 0}


def test_a_motor_that_is_not_there_is_named(damiao: Bus, line: VirtualBus) -> None:
    damiao.disconnect()
    line.fault(2, Fault.MISSING)
    with pytest.raises(MotorError, match="lift did not answer") as caught:
        damiao.connect()
    assert "lift 2/0x12" in caught.value.expected
    assert not damiao.is_connected


def test_a_motor_of_another_model_is_refused(damiao: Bus, line: VirtualBus) -> None:
    damiao.disconnect()
    line.fault(3, Fault.WRONG_MODEL, 28)
    with pytest.raises(MotorError, match=r"'gripper' has the scales 12\.5, 30, 28") as caught:
        damiao.connect()
    assert caught.value.expected.startswith("12.5, 30, 10")


def test_connections_are_checked(damiao: Bus, line: VirtualBus) -> None:
    with pytest.raises(AlreadyConnectedError):
        damiao.connect()
    other = DamiaoMotorsBus(line.port, damiao.motors)
    with pytest.raises(DeviceConnectionError, match="another program is using it"):
        other.connect()
    damiao.disconnect()
    with pytest.raises(NotConnectedError):
        damiao.read("Present_Position", "pan")


@pytest.mark.parametrize(
    ("port", "channel", "reason"),
    [
        ("/dev/nothing", Channel(), "there is no such port"),
        ("/dev/nothing", Channel(interface="damiao"), "there is no such port"),
        ("/dev/ttyACM0", Channel(interface="socketcan"), "is a serial port, but can_interface is socketcan"),
        ("can_nowhere", Channel(), "socketcan"),
    ],
)
def test_a_port_that_cannot_be_opened_says_why(port: str, channel: Channel, reason: str) -> None:
    with pytest.raises(DeviceConnectionError, match=reason):
        DamiaoMotorsBus(port, {"a": CanMotor(1, "dm4310")}, channel=channel).connect()


def test_the_load_of_the_bus_is_counted(damiao: Bus) -> None:
    before = damiao.statistics.bits
    damiao.sync_read("Present_Position")
    assert damiao.statistics.bits - before == 6 * (47 + 64), "three questions and three answers of eight bytes"
    assert 0 < damiao.statistics.load < 1
    assert damiao.statistics.lost == 0
    assert "bus load" in str(damiao.statistics)
