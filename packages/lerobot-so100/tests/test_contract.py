"""Every device of the package passes the conformance kit, on virtual servos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.motors.virtual import VirtualBus
from lerobot.so100.config import (
    BiSOFollowerConfig,
    BiSOLeaderConfig,
    SO100FollowerConfig,
    SO101LeaderConfig,
    SOFollowerConfig,
    SOLeaderConfig,
)

CAMERAS = {"front": FakeCameraConfig(width=64, height=48, fps=30)}


class OnVirtualArms:
    """Arms for a contract: `lines` are started with the fixture `config`."""

    lines: list[VirtualBus]

    @pytest.fixture(autouse=True)
    def _sweeps(self, sweeper: type, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
        self.sweeper = sweeper

    def run_calibration(self, device: Any) -> None:
        device.prompter = self.sweeper(self.lines)
        device.calibrate()

    def torque(self) -> list[float]:
        return [line.state(servo.id)["Torque_Enable"] for line in self.lines for servo in line.spec.servos]


class TestFollower(OnVirtualArms, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[], VirtualBus], calibrations: Path) -> RobotConfig:
        self.lines = [start()]
        return SO100FollowerConfig(port=self.lines[0].port, id="black", calibration_dir=calibrations, cameras=CAMERAS)

    def in_safe_state(self, robot: Any) -> bool:
        return not any(self.torque())


class OfTwoArms(OnVirtualArms):
    """A pair fails to connect when its second arm does, and must then release the first."""

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        super().break_connect(device.arms["right_"], monkeypatch)  # type: ignore[misc]


class TestPairOfFollowers(OfTwoArms, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[], VirtualBus], calibrations: Path) -> RobotConfig:
        self.lines = [start(), start()]
        left, right = (line.port for line in self.lines)
        return BiSOFollowerConfig(
            id="black",
            calibration_dir=calibrations,
            left_arm_config=SOFollowerConfig(port=left, cameras=CAMERAS),
            right_arm_config=SOFollowerConfig(port=right),
            cameras={"top": FakeCameraConfig(width=64, height=48, fps=30)},
        )

    def in_safe_state(self, robot: Any) -> bool:
        return not any(self.torque())


class TestLeader(OnVirtualArms, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Callable[[], VirtualBus], calibrations: Path) -> TeleoperatorConfig:
        self.lines = [start()]
        return SO101LeaderConfig(port=self.lines[0].port, id="black", calibration_dir=calibrations)


class TestPairOfLeaders(OfTwoArms, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Callable[[], VirtualBus], calibrations: Path) -> TeleoperatorConfig:
        self.lines = [start(), start()]
        left, right = (SOLeaderConfig(port=line.port) for line in self.lines)
        return BiSOLeaderConfig(id="black", calibration_dir=calibrations, left_arm_config=left, right_arm_config=right)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-so100"
