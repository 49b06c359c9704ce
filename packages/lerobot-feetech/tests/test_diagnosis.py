"""Each fault is named with its place, and a sound arm is called sound."""

import pytest

from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorNormMode
from lerobot.motors.virtual import Fault, VirtualBus


@pytest.fixture
def bus(arm: VirtualBus, monkeypatch) -> FeetechMotorsBus:
    monkeypatch.setattr("lerobot.motors.serial.diagnosis.PATIENCE_S", 0.2)
    monkeypatch.setattr(FeetechMotorsBus, "available_baudrates", (57_600, 115_200, 1_000_000))
    return FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))


def test_a_sound_arm_has_no_findings(bus: FeetechMotorsBus) -> None:
    assert bus.diagnose() == []
    assert not bus.is_connected


@pytest.mark.parametrize(
    ("fault", "value", "told"),
    [
        (Fault.MISSING, None, "no motor with id 3 answers at any speed"),
        (Fault.DUPLICATE_ID, None, "readings collide with those of another motor"),
        (Fault.WRONG_BAUD_RATE, None, "it speaks at 115200 baud, the line runs at 1000000"),
        (Fault.CORRUPT, 0.15, "of its answers were lost or damaged"),
        (Fault.LATE, 0.1, "it takes longer than 50 ms to answer"),
        (Fault.OVERLOAD, None, "it reports overload"),
        (Fault.LOW_VOLTAGE, 3.2, "its supply is outside its limits (3.2 V, 28 °C)"),
        (Fault.DEAD, None, "it reports a defective position sensor"),
        (Fault.WRONG_FIRMWARE, None, "its firmware is 3.1, that of the others 3.10"),
        (Fault.WRONG_MODEL, None, "its model number is 1, but 777 (sts3215) is configured"),
    ],
)
def test_every_fault_is_named_with_its_place(arm: VirtualBus, bus: FeetechMotorsBus, fault, value, told) -> None:
    arm.fault(3, fault, value)
    (finding,) = bus.diagnose()
    assert (finding.cause, finding.motor, finding.place) == (fault.value, "elbow_flex", 3)
    assert told in finding.what
    assert str(finding).startswith("motor 3 ('elbow_flex'): ")
    assert finding.hint


@pytest.mark.parametrize(("later", "found"), [(0, False), (1, True)])
def test_one_answer_missed_alone_is_no_fault(bus: FeetechMotorsBus, monkeypatch, later: int, found: bool) -> None:
    """A busy computer can be too late for an answer that came; a bad cable loses another one soon."""
    asked: list[str] = []

    def missed(_: object, name: str, __: int) -> int:
        asked.append(name)
        return {1: 1, 2: later}[asked.count(name)] if name == "elbow_flex" else 0

    monkeypatch.setattr("lerobot.motors.serial.diagnosis._missed", missed)
    assert [finding.cause for finding in bus.diagnose()] == ["corrupt"] * found


def test_several_faults_are_told_in_the_order_of_the_chain(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.fault(5, Fault.OVERLOAD)
    arm.fault(2, Fault.WRONG_MODEL)
    arm.fault(2, Fault.LOW_VOLTAGE)
    assert [(f.place, f.cause) for f in bus.diagnose()] == [(2, "wrong_model"), (2, "low_voltage"), (5, "overload")]


def test_a_cable_is_blamed_for_all_motors_behind_it(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    for servo_id in (5, 6):
        arm.fault(servo_id, Fault.MISSING)
    (finding,) = bus.diagnose()
    assert (finding.cause, finding.place) == ("cable", 5)
    assert finding.hint == "Check the cable between 'wrist_flex' and 'wrist_roll'."


def test_an_arm_without_power_and_an_arm_without_port(arm: VirtualBus, bus: FeetechMotorsBus) -> None:
    arm.power(False)
    (finding,) = bus.diagnose()
    assert (finding.cause, finding.motor) == ("cable", "")
    assert "power supply" in finding.hint
    arm.unplug()
    (finding,) = bus.diagnose()
    assert finding.cause == "port"
    assert "there is no such port" in finding.what
