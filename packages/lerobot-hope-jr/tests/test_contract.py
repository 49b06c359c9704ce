"""Every device of the package passes the conformance kit, on virtual servos and printed lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import TeleoperatorConfig
from lerobot.core.testing import PluginPackageContract, TeleoperatorContract
from lerobot.hope_jr.config import HomunculusArmConfig, HomunculusGloveConfig
from lerobot.motors.testing import FollowerContract


class TestArm(FollowerContract):
    registered = arm = id = "hope_jr_arm"


class TestHand(FollowerContract):
    registered = arm = id = "hope_jr_hand"
    fields = {"side": "right"}


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
