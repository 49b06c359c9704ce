"""Every device of the package passes the conformance kit, on virtual servos and printed lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.hope_jr.config import HomunculusArmConfig, HomunculusGloveConfig, HopeJRArmConfig, HopeJRHandConfig
from lerobot.motors.virtual import Sweeper, VirtualBus

CAMERAS = {"front": FakeCameraConfig(width=64, height=48, fps=30)}


class OnVirtualServos:
    """A robot for a contract: `line` is started with the fixture `config`."""

    line: VirtualBus

    def run_calibration(self, device: Any) -> None:
        device.prompter = Sweeper([self.line], ["c"])
        device.calibrate()

    def in_safe_state(self, device: Any) -> bool:
        return not any(self.line.state(servo.id)["Torque_Enable"] for servo in self.line.spec.servos)


class TestArm(OnVirtualServos, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> RobotConfig:
        self.line = start("hope_jr_arm")
        return HopeJRArmConfig(port=self.line.port, id="hope_jr_arm", calibration_dir=calibrations, cameras=CAMERAS)


class TestHand(OnVirtualServos, RobotContract):
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Callable[[str], VirtualBus], calibrations: Path) -> RobotConfig:
        self.line = start("hope_jr_hand")
        return HopeJRHandConfig(
            port=self.line.port, side="right", id="hope_jr_hand", calibration_dir=calibrations, cameras=CAMERAS
        )


class Worn:
    """A teleoperator for a contract: `run_calibration` moves every joint."""

    move: Callable[[], Any]

    def run_calibration(self, device: Any) -> None:
        device.prompter = self.move()
        device.calibrate()


class TestGlove(Worn, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration"}

    @pytest.fixture
    def config(self, wearable: Callable[[str], Any], wearer: Any, calibrations: Path) -> TeleoperatorConfig:
        device = wearable(" ".join(["1500"] * 16))
        self.move = lambda: wearer(device, 16)
        return HomunculusGloveConfig(port=device.port, side="right", id="glove", calibration_dir=calibrations)


class TestExoskeleton(Worn, TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration"}

    @pytest.fixture
    def config(self, wearable: Callable[[str], Any], wearer: Any, calibrations: Path) -> TeleoperatorConfig:
        device = wearable(" ".join(["1500"] * 21))
        self.move = lambda: wearer(device, 21)
        return HomunculusArmConfig(port=device.port, id="exoskeleton", calibration_dir=calibrations)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-hope-jr"
