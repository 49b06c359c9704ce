"""The robot passes the conformance kit, at the HTTP of its SDK."""

from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig
from lerobot.core.testing import PluginPackageContract, RobotContract
from lerobot.earthrover.config import EarthRoverMiniPlusConfig
from lerobot.earthrover.virtual import VirtualRover


class TestRobot(RobotContract):
    capabilities: ClassVar[set[str]] = {"cameras"}
    share = 0.7

    @pytest.fixture
    def config(self, rover: VirtualRover) -> RobotConfig:
        self.rover = rover
        # Nothing is sent, and nothing gets too old, while the suite looks at something else.
        return EarthRoverMiniPlusConfig(sdk_url=rover.url, watchdog_s=60, max_age_s=30, max_telemetry_age_s=30)

    def in_safe_state(self, device: Any) -> bool:
        device.commander.settle(10)
        return self.rover.velocity == (0.0, 0.0)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-earthrover"
