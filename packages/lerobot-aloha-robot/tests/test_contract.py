"""Every device of the package passes the conformance kit, on virtual servos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.aloha_robot.config import (
    AlohaFollowerConfig,
    AlohaFollowerFields,
    AlohaLeaderConfig,
    AlohaLeaderFields,
    BiAlohaFollowerConfig,
    BiAlohaLeaderConfig,
)
from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.motors.virtual import Sweeper, VirtualBus

CAMERAS = {"front": FakeCameraConfig(width=64, height=48, fps=30)}


class OnVirtualArms:
    """Arms for a contract: `lines` are started with the fixture `config`."""

    lines: list[VirtualBus]

    def run_calibration(self, device: Any) -> None:
        device.prompter = Sweeper(self.lines, ["c"] * len(self.lines))
        device.calibrate()

    def in_safe_state(self, device: Any) -> bool:
        return not any(line.state(servo.id)["Torque_Enable"] for line in self.lines for servo in line.spec.servos)


class OfTwoArms(OnVirtualArms):
    """A pair fails to connect when its second arm does, and must then release the first."""

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        super().break_connect(device.arms["right_"], monkeypatch)  # type: ignore[misc]


class TestFollower(OnVirtualArms, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> RobotConfig:
        self.lines = [start("aloha")]
        return AlohaFollowerConfig(port=self.lines[0].port, id="black", calibration_dir=calibrations, cameras=CAMERAS)


class TestPairOfFollowers(OfTwoArms, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> RobotConfig:
        self.lines = [start("aloha"), start("aloha")]
        left, right = (line.port for line in self.lines)
        return BiAlohaFollowerConfig(
            id="black",
            calibration_dir=calibrations,
            left_arm_config=AlohaFollowerFields(port=left, cameras=CAMERAS),
            right_arm_config=AlohaFollowerFields(port=right),
            cameras={"top": FakeCameraConfig(width=64, height=48, fps=30)},
        )


class TestLeader(OnVirtualArms, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> TeleoperatorConfig:
        self.lines = [start("aloha_leader")]
        return AlohaLeaderConfig(port=self.lines[0].port, id="blue", calibration_dir=calibrations)


class TestPairOfLeaders(OfTwoArms, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> TeleoperatorConfig:
        self.lines = [start("aloha_leader"), start("aloha_leader")]
        left, right = (AlohaLeaderFields(port=line.port) for line in self.lines)
        return BiAlohaLeaderConfig(
            id="blue", calibration_dir=calibrations, left_arm_config=left, right_arm_config=right
        )


class TestPackage(PluginPackageContract):
    distribution = "lerobot-aloha-robot"
