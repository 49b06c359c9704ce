"""`lerobot doctor hardware` as a user runs it: each fault of an arm is named, with its place and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.core.cli.app import main
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorNormMode
from lerobot.motors.virtual import Fault, VirtualBus


@pytest.fixture
def doctor(arm: VirtualBus, calibrations: Path, capsys, monkeypatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setattr("lerobot.motors.serial.diagnosis.PATIENCE_S", 0.2)
    monkeypatch.setattr(FeetechMotorsBus, "available_baudrates", (57_600, 115_200, 1_000_000))

    def doctor(kind: str = "robot", arm_type: str = "so101_follower", port: str = arm.port) -> tuple[int, str]:
        code = main(
            [
                *("lerobot", "doctor", "hardware", f"--{kind}.type={arm_type}", f"--{kind}.port={port}"),
                *(f"--{kind}.id=black", f"--{kind}.calibration_dir={calibrations}"),
            ]
        )
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out

    return doctor


@pytest.mark.parametrize(
    ("kind", "arm_type", "name"),
    [("robot", "so101_follower", "so_follower(black)"), ("teleop", "so100_leader", "so_leader(black)")],
)
def test_a_sound_arm_is_called_sound(doctor, kind, arm_type, name) -> None:
    code, out = doctor(kind, arm_type)
    assert (code, out.splitlines()[-1]) == (0, f"{name}: nothing wrong was found")


@pytest.mark.parametrize(
    ("fault", "cause", "advice"),
    [
        (Fault.MISSING, "missing", "Check its plugs"),
        (Fault.DUPLICATE_ID, "duplicate id", "Two motors have id 3"),
        (Fault.WRONG_BAUD_RATE, "wrong baud rate", "lerobot setup-motors"),
        (Fault.CORRUPT, "corrupt", "Check the plugs and the cable"),
        (Fault.LATE, "late", "Check the USB adapter"),
        (Fault.OVERLOAD, "overload", "Free the joint"),
        (Fault.LOW_VOLTAGE, "low voltage", "Check the power supply"),
        (Fault.DEAD, "dead", "Replace the motor"),
        (Fault.WRONG_FIRMWARE, "wrong firmware", "Bring all motors to one version"),
        (Fault.WRONG_MODEL, "wrong model", "Connect the motor that belongs here"),
    ],
)
def test_each_fault_is_named(arm: VirtualBus, doctor, fault, cause, advice) -> None:
    arm.fault(3, fault)
    code, out = doctor()
    assert code == 1
    assert f"1. motor 3 of the chain ('elbow_flex'): {cause}\n" in out
    assert advice in out
    assert out.endswith("so_follower(black): 1 problem\n")


def test_nothing_moves_and_torque_stays_as_it_is(arm: VirtualBus, doctor) -> None:
    before = [arm.state(servo.id)["position"] for servo in arm.spec.servos]
    doctor()
    assert [arm.state(servo.id)["position"] for servo in arm.spec.servos] == before
    assert [arm.state(servo.id)["Torque_Enable"] for servo in arm.spec.servos] == [0] * 6


def test_a_port_that_is_not_there_or_taken(arm: VirtualBus, doctor) -> None:
    code, out = doctor(port="/dev/ttyNOTHING")
    assert code == 1
    assert "the whole line: port" in out
    assert "there is no such port" in out
    bus = FeetechMotorsBus(arm.port, arm.spec.motors(MotorNormMode.DEGREES))
    bus.connect()
    code, out = doctor()
    bus.disconnect()
    assert code == 1
    assert "another program is using it" in out


@pytest.mark.slow
def test_no_power(arm: VirtualBus, doctor) -> None:
    arm.power(False)
    code, out = doctor()
    assert code == 1
    assert "the whole line: cable\n   no motor answers.\n   Check the power supply of the motors" in out
