"""What is said where a library is missing."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

from lerobot.core.hooks import load_hooks
from lerobot.core.installation import Fact

MISSING = "libusb-1.0.so.0: cannot open shared object file: No such file or directory"


def facts() -> list[Fact]:
    """What `lerobot doctor` is told by this package."""
    told: list[Fact] = []
    load_hooks().call("examine_installation", tell=told.append)
    return [fact for fact in told if fact.subject == "RealSense"]


def test_doctor_says_that_it_is_there() -> None:
    (fact,) = facts()
    assert fact.found.startswith("pyrealsense2 2.")
    assert not fact.advice


def test_doctor_names_the_system_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    load = importlib.import_module

    def fail(name: str, *rest: str) -> ModuleType:
        if name == "pyrealsense2":
            raise ImportError(MISSING)
        return load(name, *rest)

    monkeypatch.setattr(importlib, "import_module", fail)
    (fact,) = facts()
    assert MISSING in fact.found
    assert "apt-get install libusb-1.0-0" in fact.advice


def test_whoever_uses_the_camera_is_told_too() -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "pyrealsense2":
            raise ImportError({MISSING!r})
sys.meta_path.insert(0, Missing())
from lerobot.core.errors import PluginLoadError
from lerobot.realsense.config import RealSenseCameraConfig
try:
    RealSenseCameraConfig(serial_number_or_name="1").build()
except PluginLoadError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "apt-get install libusb-1.0-0" in answer.stdout
