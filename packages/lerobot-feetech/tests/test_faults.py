"""What a bus makes of a bad line: nothing is guessed, nothing is hidden, and the cause is named."""

import logging
from collections.abc import Callable
from contextlib import suppress

import pytest

from lerobot.core.errors import DeviceConnectionError, NotConnectedError
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorError, MotorNormMode
from lerobot.motors.serial.wire import Outcome
from lerobot.motors.virtual import Fault, VirtualBus


def reconnect(bus: FeetechMotorsBus) -> None:
    bus.disconnect(disable_torque=False)
    bus.connect()


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_damaged_answers_end_nothing_and_falsify_nothing(arm: VirtualBus, bus: FeetechMotorsBus, share: float) -> None:
    for servo in arm.spec.servos:
        arm.fault(servo.id, Fault.CORRUPT, share)
    before = bus.statistics.replies
    for _ in range(60):
        assert bus.sync_read("Present_Position", normalize=False) == dict.fromkeys(arm.spec.names, 2048)
    statistics = bus.statistics
    assert statistics.failures == 0
    assert statistics.replies - before == 6 * 60
    assert statistics.corrupt.total() >= 60 * 6 * share / 3
    assert statistics.retries > 0
    assert set(statistics.timeouts) | set(statistics.corrupt) <= {1, 2, 3, 4, 5, 6}


def test_a_session_ends_with_a_count_of_what_was_missed(arm: VirtualBus, bus: FeetechMotorsBus, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        reconnect(bus)
        assert caplog.text == "", "nothing was missed"
        arm.fault(2, Fault.CORRUPT, 0.2)
        for _ in range(50):
            bus.read("Present_Position", "shoulder_lift")
        statistics = bus.statistics
        bus.disconnect(disable_torque=False)
    (record,) = caplog.records
    assert str(statistics) in record.getMessage()
    assert f"'shoulder_lift' {statistics.misses}" in record.getMessage()


def test_writes_survive_damaged_acknowledgements(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.fault(2, Fault.CORRUPT, 0.3)
    for value in range(25):
        bus.write("Acceleration", "shoulder_lift", value)
        assert bus.read("Acceleration", "shoulder_lift") == value


def test_a_missing_motor_is_the_only_one_blamed(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    """Motors behind it keep quiet too, because each waits for the answer before its own."""
    arm.fault(3, Fault.MISSING)
    before = bus.statistics
    with pytest.raises(DeviceConnectionError) as caught:
        bus.sync_read("Present_Position", normalize=False)
    assert "'elbow_flex' did not answer" in caught.value.what
    assert "wrist_flex" not in caught.value.what
    after = bus.statistics
    assert after.failures == before.failures + 1
    # Waiting is bounded: every exchange waits for one answer at most.
    assert (after.packets - before.packets) * bus.port_handler.reply_wait_s < 1
    arm.mend(3)
    assert bus.sync_read("Present_Position", normalize=False)["elbow_flex"] == 2048


def test_a_dead_line_is_given_up_within_a_second_of_waiting(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.power(False)
    before = bus.statistics.packets
    with pytest.raises(DeviceConnectionError, match=r"'shoulder_pan' did not answer.*'gripper' did not answer"):
        bus.sync_read("Present_Position")
    assert (bus.statistics.packets - before) * bus.port_handler.reply_wait_s < 1
    bus.disconnect(disable_torque=False)
    with pytest.raises(MotorError) as caught:
        bus.connect()
    assert "power supply" in caught.value.hint
    assert bus.statistics.packets * bus.port_handler.reply_wait_s < 1
    assert not bus.is_connected


def test_an_unplugged_adapter_is_named_at_once(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.unplug()
    with pytest.raises(DeviceConnectionError, match=f"Port '{arm.port}' was lost") as caught:
        bus.sync_read("Present_Position")
    assert "USB" in caught.value.hint
    assert not bus.is_connected
    with pytest.raises(NotConnectedError):
        bus.sync_read("Present_Position")
    with pytest.raises(NotConnectedError):
        bus.disconnect()


@pytest.mark.parametrize(
    "late_s", [0.06, 0.235, *(pytest.param(late_s, marks=pytest.mark.slow) for late_s in (0.055, 0.065, 0.6))]
)
def test_late_answers_are_not_taken_for_later_ones(arm: VirtualBus, bus: FeetechMotorsBus, late_s: float) -> None:
    """Whatever the lateness, and while the motor recovers: a value is right or there is none."""
    right = {name: bus.read(name, "shoulder_pan") for name in ("Present_Temperature", "Present_Voltage")}
    assert len(set(right.values())) == 2
    arm.fault(1, Fault.LATE, late_s)
    for name in 2 * list(right):
        with suppress(DeviceConnectionError):
            assert bus.read(name, "shoulder_pan") == right[name]
    arm.mend(1)
    for name in right:
        with suppress(DeviceConnectionError):
            assert bus.read(name, "shoulder_pan") == right[name]
    for name in 2 * list(right):
        assert bus.read(name, "shoulder_pan", num_retry=50) == right[name]


def test_a_cable_that_fell_out_is_located(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    for servo_id in (4, 5, 6):
        arm.fault(servo_id, Fault.MISSING)
    with pytest.raises(MotorError) as caught:
        reconnect(bus)
    assert "missing motor IDs: 4 ('wrist_flex'), 5 ('wrist_roll'), 6 ('gripper')" in caught.value.what
    assert "cable between 'elbow_flex' and 'wrist_flex'" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.MISSING, "missing motor IDs: 2 ('shoulder_lift')"),
        (Fault.WRONG_BAUD_RATE, "missing motor IDs: 2 ('shoulder_lift')"),
        (Fault.WRONG_MODEL, "incorrect model number: 2 ('shoulder_lift') is 1, expected 777"),
        (Fault.WRONG_FIRMWARE, "different firmware versions: shoulder_pan 3.10, shoulder_lift 3.1, elbow_flex 3.10"),
    ],
)
def test_connecting_names_the_motor_that_is_not_as_expected(arm, bus, fault, told) -> None:
    arm.fault(2, fault)
    with pytest.raises(MotorError) as caught:
        reconnect(bus)
    assert told in caught.value.what
    assert not bus.is_connected
    arm.mend(2)
    bus.connect()


def test_one_lost_ping_does_not_stop_a_connection(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    for servo in arm.spec.servos:
        arm.fault(servo.id, Fault.CORRUPT, 0.15)
    for _ in range(5):
        reconnect(bus)
    assert bus.statistics.failures == 0


def test_two_motors_of_one_id_collide(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.fault(4, Fault.DUPLICATE_ID)
    assert bus.ping("wrist_flex") == 777, "equal answers look like one"
    with pytest.raises(DeviceConnectionError, match="'wrist_flex' answered with a damaged packet"):
        bus.read("Present_Position", "wrist_flex", normalize=False)


@pytest.mark.parametrize(
    ("fault", "alert"),
    [(Fault.OVERLOAD, "overload"), (Fault.LOW_VOLTAGE, "voltage"), (Fault.DEAD, "angle sensor")],
)
def test_alerts_are_counted_and_logged_when_they_appear(arm, bus, caplog, fault, alert) -> None:
    arm.fault(5, fault)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            bus.sync_read("Present_Position", normalize=False)
        bus.write("Torque_Enable", "wrist_roll", 0)
        assert [record.getMessage() for record in caplog.records] == [
            f"'wrist_roll' on port '{arm.port}' reports {alert}"
        ]
        assert bus.statistics.alerts == {(5, alert): 4}
        arm.mend(5)
        bus.sync_read("Present_Position", normalize=False)
        arm.fault(5, fault)
        bus.sync_read("Present_Position", normalize=False)
        assert len(caplog.records) == 2, "it is news again after it had gone"


def test_torque_goes_off_on_every_motor_that_can_be_reached(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    bus.enable_torque()
    arm.fault(3, Fault.MISSING)
    with pytest.raises(DeviceConnectionError, match="Torque of elbow_flex could not be switched off"):
        bus.disconnect()
    assert not bus.is_connected
    assert [arm.state(i)["Torque_Enable"] for i in range(1, 7)] == [0, 0, 1, 0, 0, 0]


def test_an_interrupt_in_the_middle_of_a_packet_leaves_a_usable_bus(bus: FeetechMotorsBus, monkeypatch) -> None:
    def interrupted(length: int) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(bus.port_handler, "readPort", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bus.read("Present_Position", "gripper", normalize=False)
    assert bus.read("Present_Load", "gripper") == 0
    assert bus.read("Present_Temperature", "gripper") == 28
    assert bus.statistics.misses == 0


def test_an_answer_of_another_length_is_no_answer(bus: FeetechMotorsBus) -> None:
    """What a late answer to a longer read looks like; the SDK would cut it to the length asked for."""
    wire = bus.link.wire
    before = wire.port.clearPort
    wire.port.clearPort = lambda: None
    wire.packet_handler.readTx(wire.port, 6, 56, 2)
    wire.port.is_using = False
    assert wire.read(6, 63, 1).outcome is Outcome.CORRUPT
    wire.port.clearPort = before
    assert wire.read(6, 63, 1).data == bytes([28])


def test_a_ping_is_answered_or_not(bus: FeetechMotorsBus) -> None:
    assert bus.ping("gripper") == bus.ping(6) == 777
    assert bus.ping(77) is None
    with pytest.raises(DeviceConnectionError, match=r"Failed to ping id_=77 after 2 tries. .* motor 77 did not answer"):
        bus.ping(77, num_retry=1, raise_on_error=True)


def test_nobody_home(one: Callable[..., VirtualBus]) -> None:
    line = one()
    bus = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    line.power(False)
    assert bus.broadcast_ping() is None
    with pytest.raises(DeviceConnectionError, match="No motor answered"):
        bus.broadcast_ping(raise_on_error=True)
    bus.disconnect(disable_torque=False)
