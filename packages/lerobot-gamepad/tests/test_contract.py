"""The contracts of teleoperators and of packages, on a virtual pad."""

from typing import ClassVar

import pytest

from lerobot.core.testing import PluginPackageContract, TeleoperatorContract
from lerobot.gamepad.config import GamepadConfig


class TestGamepad(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"events"}

    @pytest.fixture
    def config(self, plug_in) -> GamepadConfig:
        plug_in().axis(1, 0.5)
        return GamepadConfig()


class TestPackage(PluginPackageContract):
    distribution = "lerobot-gamepad"
