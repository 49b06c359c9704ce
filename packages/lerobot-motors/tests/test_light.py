"""Importing the package, or describing its command, loads no SDK."""

import subprocess
import sys

import pytest

HEAVY = ("serial", "scservo_sdk", "dynamixel_sdk", "numpy", "torch", "multiprocessing")


@pytest.mark.parametrize("module", ["lerobot.motors", "lerobot.motors.commands.virtual_arm"])
def test_light_modules_stay_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({set(HEAVY)!r} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_buses_are_there_when_asked_for() -> None:
    import lerobot.motors

    assert all(hasattr(lerobot.motors, name) for name in lerobot.motors.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Bus'"):
        _ = lerobot.motors.Bus
