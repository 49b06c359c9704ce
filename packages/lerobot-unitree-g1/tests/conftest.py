"""A virtual robot in another process and others in this one; exoskeleton arms that print lines, and who wears them."""

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.testing import ScriptedPrompter
from lerobot.motors.virtual import Printer
from lerobot.unitree_g1 import exoskeleton as exoskeleton_module
from lerobot.unitree_g1 import robot as robot_module
from lerobot.unitree_g1.calibration import SENSORS, save_calibration
from lerobot.unitree_g1.config import UnitreeG1Config
from lerobot.unitree_g1.ellipse import ADC_HALF, JointFit
from lerobot.unitree_g1.robot import UnitreeG1
from lerobot.unitree_g1.virtual import VirtualG1

PATIENCE: Mapping[str, Any] = {"max_age_s": 20.0, "connect_timeout_s": 30.0, "command_timeout_s": 20.0}
"""Whatever else the computer of the tests does meanwhile."""


@pytest.fixture(autouse=True)
def _nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robot_module, "CAMERA_TEST_S", 0.05)
    monkeypatch.setattr(exoskeleton_module, "SMALLEST_FIT", 12)
    monkeypatch.setattr(exoskeleton_module, "ZERO_LINES", 3)
    monkeypatch.setattr(exoskeleton_module, "PERIOD_S", 0.001)


# --- the robot -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A virtual robot in another process."""

    command_port: int
    state_port: int
    report_port: int

    @property
    def where(self) -> dict[str, Any]:
        ports = {"command_port": self.command_port, "state_port": self.state_port}
        return {"robot_ip": "127.0.0.1", "is_simulation": False, **ports, **PATIENCE}


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    program = [sys.executable, "-m", "lerobot.unitree_g1.virtual", "--command_port=0", "--state_port=0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(*map(int, process.stdout.readline().split()))
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture
def g1() -> Iterator[VirtualG1]:
    with VirtualG1() as g1:
        yield g1


@pytest.fixture
def built() -> Iterator[Callable[..., UnitreeG1]]:
    """Make drivers of a virtual robot; they are disconnected at the end."""
    with ExitStack() as stack:

        def built(g1: VirtualG1, **fields: Any) -> UnitreeG1:
            where = {"robot_ip": "127.0.0.1", "command_port": g1.command_port, "state_port": g1.state_port}
            robot = UnitreeG1(UnitreeG1Config(**{**PATIENCE, **where, "is_simulation": False, **fields}))
            stack.callback(robot.disconnect)
            return robot

        yield built


# --- the exoskeleton -------------------------------------------------------------------------------------------------

AXES, TILT, MIDDLE, ZERO = (900.0, 700.0), 0.4, (40.0, -60.0), 0.3
"""The ellipse that the readings of every joint trace, and where on it the zero pose is."""


def readings(angle: float) -> tuple[int, int]:
    """Sine and cosine of a joint at an angle, as its sensors read them."""
    on_circle = ZERO - angle
    along, across = AXES[0] * math.cos(on_circle), AXES[1] * math.sin(on_circle)
    x = MIDDLE[0] + along * math.cos(TILT) - across * math.sin(TILT)
    y = MIDDLE[1] + along * math.sin(TILT) + across * math.cos(TILT)
    return round(ADC_HALF + y), round(ADC_HALF + x)


def fit() -> JointFit:
    cos, sin = math.cos(TILT), math.sin(TILT)
    a, b = AXES
    return JointFit(MIDDLE, ((cos / a, sin / a), (-sin / b, cos / b)), ZERO)


@dataclass
class Worn:
    """Both arms of an exoskeleton, worn by somebody."""

    left: Printer
    right: Printer
    stick: tuple[int, int] = (2000, 2100)
    pushed: bool = False
    angles: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SENSORS, 0.0))

    def hold(self, **angles: float) -> None:
        """Hold joints at angles, the others as they are, and wait until both arms printed it."""
        self.angles |= angles
        line = [0] * 16
        for name, (sine, cosine) in SENSORS.items():
            line[sine], line[cosine] = readings(self.angles[name])
        line[11], line[12], line[13] = self.stick[0], 100 if self.pushed else 4000, self.stick[1]
        for arm in (self.left, self.right):
            arm.wear(line)
        while not (self.left.is_seen() and self.right.is_seen()):
            time.sleep(0.002)

    def print_now(self) -> None:
        """Let it print without waiting for somebody to read."""
        line = [0] * 16
        for sine, cosine in SENSORS.values():
            line[sine], line[cosine] = readings(0.0)
        line[11], line[12], line[13] = self.stick[0], 4000, self.stick[1]
        for arm in (self.left, self.right):
            arm.wear(line)


@pytest.fixture
def worn() -> Iterator[Worn]:
    arms = [Printer("0"), Printer("0")]
    worn = Worn(*arms)
    worn.print_now()
    for arm in arms:
        arm.switch_on()
    yield worn
    for arm in arms:
        arm.unplug()


class Wearer(ScriptedPrompter):
    """Somebody who turns every joint to and fro when told to, and holds the zero pose when told to.

    Args:
        worn: what is worn.
        reach: how far a joint is turned to each side, radians.
    """

    def __init__(self, worn: Worn, reach: float = 1.5) -> None:
        super().__init__()
        self._worn, self._reach = worn, reach
        self._poses: list[float] = []
        self._turned = worn.left

    def ask(self, text: str) -> str:
        self._turned = self._worn.left if "left arm" in text else self._worn.right
        if "zero pose" in text:
            self._turn(0.0)
        else:
            self._poses = [self._reach * (step / 6 - 1) for step in range(13)]
        return super().ask(text)

    def pressed_enter(self) -> bool:
        if not self._poses:
            return True
        self._turn(self._poses.pop(0))
        return False

    def _turn(self, angle: float) -> None:
        line = [0] * 16
        for sine, cosine in SENSORS.values():
            line[sine], line[cosine] = readings(angle)
        line[12] = 4000
        # What the port's reader had in its hands the first time, an old line perhaps, is taken in by the second.
        for _ in range(2):
            for arm in (self._worn.left, self._worn.right):
                arm.wear(line)
            while not self._turned.is_seen():
                time.sleep(0.001)


@pytest.fixture
def wearer() -> type[Wearer]:
    return Wearer


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of both arms of the exoskeleton `exo`."""
    for side in ("left", "right"):
        save_calibration(tmp_path / f"exo_{side}.json", side, dict.fromkeys(SENSORS, fit()))
    return tmp_path
