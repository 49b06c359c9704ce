"""Lost, damaged and late frames, motors that switch themselves off, a cable that is pulled."""

import logging
from collections.abc import Callable

import can
import pytest
import serial

from lerobot.can import DamiaoMotorsBus
from lerobot.can.frame import Frame
from lerobot.can.virtual import CanLineSpec
from lerobot.core.errors import DeviceConnectionError, NotConnectedError
from lerobot.motors.errors import MotorError
from lerobot.motors.virtual import Fault, VirtualBus

Bus = DamiaoMotorsBus


def test_lost_and_damaged_frames_are_asked_for_again_and_counted(damiao: Bus, line: VirtualBus) -> None:
    """5 % each, as text without a checksum; no reading is ever far from where the joints are."""
    line.move({1: 20.0, 2: -30.0, 3: 10.0})
    damiao.sync_read("Present_Position")
    for motor in damiao.motors.values():
        line.fault(motor.id, Fault.LOST, 0.05)
        line.fault(motor.id, Fault.CORRUPT, 0.05)
    damiao.enable_torque()
    for _ in range(40):
        damiao.sync_write("Goal_Position", {"pan": 20.0, "lift": -30.0, "gripper": 10.0})
        here = damiao.sync_read("Present_Position")
        assert here == pytest.approx({"pan": 20.0, "lift": -30.0, "gripper": 10.0}, abs=30)
    assert damiao.statistics.lost
    assert damiao.statistics.retries
    damiao.disable_torque()
    assert [line.state(i)["Torque_Enable"] for i in (1, 2, 3)] == [0, 0, 0]


def test_a_reading_that_cannot_be_is_not_believed(damiao: Bus) -> None:
    """A flipped bit in a line of text is another position, which nothing else would find."""
    damiao.sync_read("Present_Position")
    wrong = Frame(0x11, bytes.fromhex("01ffff7ff7ff1e1f"))
    assert damiao._state("pan", wrong) is None
    assert damiao.statistics.corrupt[1] == 1
    assert damiao._state("pan", wrong) is not None, "said twice, it is true: the joint is there"


def test_garbage_between_frames_is_survived(damiao: Bus, line: VirtualBus) -> None:
    for noise in (b"\xff\xfe\xfd\r", b"t01\r", b"tzzz8\r", b"t0119" + b"Q" * 40 + b"\r", b"\x00" * 3000, b"t01181"):
        line.babble(noise)
        assert damiao.sync_read("Present_Position") == pytest.approx({"pan": 0, "lift": 0, "gripper": 0}, abs=0.1)
    assert damiao.statistics.corrupt.total()


def test_answers_of_strangers_are_counted_and_ignored(damiao: Bus, line: VirtualBus) -> None:
    line.babble(b"t05580102030405060708\r")
    assert damiao.read("Present_Position", "pan") == pytest.approx(0, abs=0.1)
    assert damiao.statistics.strangers == 1


def test_late_answers_are_never_taken_for_new_ones(damiao: Bus, line: VirtualBus) -> None:
    """Answers come a second late; once they are in time again, nothing old is left."""
    line.fault(1, Fault.LATE, 1.0)
    with pytest.raises(DeviceConnectionError, match="pan did not answer"):
        damiao.read("Present_Position", "pan")
    line.move({1: 40.0})
    line.mend(1)
    for _ in range(40):
        try:
            assert damiao.read("Present_Position", "pan") == pytest.approx(40.0, abs=0.1)
            break
        except DeviceConnectionError:
            continue
    else:
        pytest.fail("the motor is not believed any more")


def test_a_fault_is_latched_and_said(damiao: Bus, line: VirtualBus, caplog: pytest.LogCaptureFixture) -> None:
    damiao.enable_torque()
    line.fault(2, Fault.OVERLOAD)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            damiao.sync_read("Present_Position")
    assert [record.getMessage() for record in caplog.records] == [
        f"{damiao.port}: 'lift' has switched itself off: overload"
    ]
    assert damiao.statistics.alerts[2, "overload"] == 1
    for _ in range(2):
        with pytest.raises(MotorError, match="'lift' has switched itself off: overload"):
            damiao.sync_write("Goal_Position", {"pan": 1.0, "lift": 1.0})
    damiao.write("Goal_Position", "pan", 1.0)
    with pytest.raises(MotorError, match="overload"):
        damiao.clear_faults()
    line.mend(2)
    with pytest.raises(MotorError, match="overload"):
        damiao.enable_torque("lift")
    damiao.clear_faults()
    damiao.enable_torque("lift")
    assert line.state(2)["Torque_Enable"] == 1


def test_a_motor_that_lost_its_supply_is_noticed(damiao: Bus, line: VirtualBus) -> None:
    damiao.enable_torque()
    line.power(False)
    line.power(True)
    with pytest.raises(MotorError, match="lost torque without being told to"):
        damiao.sync_write("Goal_Position", 0.0)


def test_a_frame_that_the_adapter_takes_too_late_is_a_lost_one(damiao: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial says so too where a busy computer was away for as long after it had written all of it."""
    bus = damiao._link.require_open()
    send, late = bus.send, [1]

    def slow(message: can.Message, timeout: float | None = None) -> None:
        send(message, timeout)
        if late:
            late.pop()
            raise can.CanOperationError("Could not write") from serial.SerialTimeoutException("Write timeout")

    monkeypatch.setattr(bus, "send", slow)
    assert damiao.read("Present_Position", "pan") == pytest.approx(0, abs=0.1)
    assert damiao.is_connected
    assert not late


def test_a_pulled_cable_is_one_error_and_the_bus_can_be_used_again(
    damiao: Bus, line: VirtualBus, start: Callable[[CanLineSpec], VirtualBus], three: CanLineSpec
) -> None:
    damiao.enable_torque()
    line.unplug()
    with pytest.raises(DeviceConnectionError, match="was lost"):
        damiao.sync_write("Goal_Position", 1.0)
    assert not damiao.is_connected
    with pytest.raises(NotConnectedError, match="nothing reaches it any more"):
        damiao.disable_torque()
    damiao.port = damiao._link.port = start(three).port
    damiao.connect()
    assert damiao.sync_read("Torque_Enable") == dict.fromkeys(three.names, 0)


def test_a_sound_line_is_found_sound(damiao: Bus) -> None:
    damiao.disconnect()
    assert damiao.diagnose() == []
    assert not damiao.is_connected


@pytest.mark.parametrize(
    ("motor", "fault", "value", "cause", "place"),
    [
        (2, Fault.MISSING, None, "missing", 2),
        (2, Fault.LOST, 0.3, "corrupt", 2),
        (3, Fault.WRONG_BAUD_RATE, 500_000, "missing", 3),
        (3, Fault.WRONG_MODEL, 28, "wrong_model", 0),
    ],
)
def test_what_is_wrong_is_found(
    damiao: Bus, line: VirtualBus, motor: int, fault: Fault, value: float | None, cause: str, place: int
) -> None:
    damiao.disconnect()
    line.fault(motor, fault, value)
    findings = damiao.diagnose()
    assert [(finding.cause, finding.place) for finding in findings] == [(cause, place)]


def test_silent_motors_have_one_cause(damiao: Bus, line: VirtualBus) -> None:
    damiao.disconnect()
    line.fault(2, Fault.MISSING)
    line.fault(3, Fault.MISSING)
    (finding,) = damiao.diagnose()
    assert (finding.cause, finding.motor) == ("cable", "lift")
    line.power(False)
    (finding,) = damiao.diagnose()
    assert (finding.cause, finding.place) == ("cable", 0)
    line.unplug()
    (finding,) = damiao.diagnose()
    assert finding.cause == "port"
