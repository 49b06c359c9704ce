"""Importing the package, or describing its command, loads no SDK; former names still work."""

import subprocess
import sys

import pytest

HEAVY = ("serial", "scservo_sdk", "dynamixel_sdk", "numpy", "torch", "multiprocessing", "lerobot.feetech")


def test_light_modules_stay_light() -> None:
    code = f"""
import sys, lerobot.motors, lerobot.motors.commands.virtual_arm, lerobot.motors.arms.config
print(*sorted({set(HEAVY)!r} & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_buses_are_there_when_asked_for() -> None:
    import lerobot.motors

    assert all(hasattr(lerobot.motors, name) for name in lerobot.motors.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Bus'"):
        _ = lerobot.motors.Bus


@pytest.mark.parametrize(
    ("former", "name", "now"),
    [
        ("lerobot.motors", "FeetechMotorsBus", "lerobot.feetech"),
        ("lerobot.motors", "DynamixelMotorsBus", "lerobot.dynamixel"),
        ("lerobot.motors.bus", "SerialMotorsBus", "lerobot.motors.serial.bus"),
        ("lerobot.motors.feetech", "FeetechMotorsBus", "lerobot.feetech"),
        ("lerobot.motors.feetech.bus", "FeetechMotorsBus", "lerobot.feetech.bus"),
        ("lerobot.motors.port", "SerialPort", "lerobot.motors.serial.port"),
        ("lerobot.motors.dynamixel", "OperatingMode", "lerobot.dynamixel"),
        ("lerobot.motors.calibrate", "calibrate_by_sweep", "lerobot.motors.serial.sweep"),
        ("lerobot.motors.diagnosis", "Finding", "lerobot.motors.serial.diagnosis"),
        ("lerobot.motors.identity", "why_it_differs", "lerobot.motors.serial.identity"),
    ],
)
def test_a_former_name_works_and_says_where_it_stands_now(former: str, name: str, now: str) -> None:
    there: dict[str, object] = {}
    # A FutureWarning: Python shows a DeprecationWarning only to the main script.
    with pytest.warns(
        FutureWarning, match=rf"^{former}(.{name})? is now {now}(.{name}|: import {name} from there)$"
    ) as caught:
        exec(compile(f"from {former} import {name}", "user.py", "exec"), there)
    assert {warning.filename for warning in caught} == {"user.py"}
    assert there[name].__name__ == name


def test_a_former_name_that_never_was_is_none() -> None:
    with pytest.warns(FutureWarning), pytest.raises(ImportError, match="FeetechBus"):
        from lerobot.motors.feetech import FeetechBus  # noqa: F401
