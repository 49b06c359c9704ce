"""Every device of the package passes the conformance kit, on virtual servos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.motors.virtual import Sweeper, VirtualBus
from lerobot.omx.config import OmxFollowerConfig, OmxLeaderConfig

CAMERAS = {"front": FakeCameraConfig(width=64, height=48, fps=30)}


class OnVirtualArms:
    """Arms for a contract: `lines` are started with the fixture `config`."""

    lines: list[VirtualBus]

    def run_calibration(self, device: Any) -> None:
        device.prompter = Sweeper(self.lines)
        device.calibrate()

    def in_safe_state(self, device: Any) -> bool:
        return not any(line.state(servo.id)["Torque_Enable"] for line in self.lines for servo in line.spec.servos)


class TestFollower(OnVirtualArms, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], tmp_path: Path) -> RobotConfig:
        self.lines = [start("omx")]
        return OmxFollowerConfig(port=self.lines[0].port, id="black", calibration_dir=tmp_path, cameras=CAMERAS)


class TestLeader(OnVirtualArms, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], tmp_path: Path) -> TeleoperatorConfig:
        self.lines = [start("omx_leader")]
        return OmxLeaderConfig(port=self.lines[0].port, id="blue", calibration_dir=tmp_path)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-omx"
