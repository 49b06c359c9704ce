"""Every device of the package passes the conformance kit, on virtual servos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig, FakeTeleoperatorConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.keyboard.config import KeyboardConfig
from lerobot.lekiwi.config import LeKiwiConfig, LeKiwiLeaderConfig
from lerobot.motors.virtual import Sweeper, VirtualBus

CAMERAS = {"front": FakeCameraConfig(width=64, height=48, fps=30)}


class TestRobot(RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[], VirtualBus], calibrations: Path) -> RobotConfig:
        self.line = start()
        return LeKiwiConfig(port=self.line.port, id="kiwi", calibration_dir=calibrations, cameras=CAMERAS)

    def run_calibration(self, device: Any) -> None:
        device.prompter = Sweeper([self.line], ["c"])
        device.calibrate()

    def in_safe_state(self, device: Any) -> bool:
        states = [self.line.state(servo.id) for servo in self.line.spec.servos]
        return not any(state["Torque_Enable"] or state["Goal_Velocity"] for state in states)


class TestLeader(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        super().break_connect(device._keyboard, monkeypatch)

    @pytest.fixture
    def config(self, typist: Any) -> TeleoperatorConfig:
        return LeKiwiLeaderConfig(arm=FakeTeleoperatorConfig(), keyboard=KeyboardConfig(backend="terminal"))


class TestPackage(PluginPackageContract):
    distribution = "lerobot-lekiwi"
