"""Every device of the package passes the conformance kit, at the wire of a robot in another process."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from reachy2_sdk_api import reachy_pb2_grpc
from reachy2_sdk_api.mobile_base_utility_pb2 import ZuuuModePossiblities

from lerobot.core.config.base import CameraConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.testing import CameraContract, PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.reachy2.body import positions
from lerobot.reachy2.config import Reachy2CameraConfig, Reachy2Config, Reachy2TeleoperatorConfig

PATIENCE: Any = {"max_age_s": 20.0, "connect_timeout_s": 30.0}
"""Whatever else the computer of the tests does meanwhile."""


class TestRobot(RobotContract):
    capabilities: ClassVar[set[str]] = {"cameras"}

    @pytest.fixture
    def config(self, served: Any) -> Iterator[RobotConfig]:
        with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
            self.service = reachy_pb2_grpc.ReachyServiceStub(channel)
            yield Reachy2Config(
                ip_address="127.0.0.1",
                sdk_port=served.port,
                port=served.video_port,
                with_left_teleop_camera=True,
                camera_width=64,
                camera_height=48,
                **PATIENCE,
            )

    def in_safe_state(self, robot: Any) -> bool:
        """Asked from the robot itself, over a connection of the test's own."""
        time.sleep(0.05)  # a joint in motion comes back to where it was told to stay
        state = self.service.GetReachyState(self.service.GetReachy(Empty()).id)
        present, goal = (dict(positions(state, robot.config.joints, which)) for which in ("present", "goal"))
        is_still = all(abs(present[key] - goal[key]) < 0.1 for key in present)
        return is_still and state.mobile_base_state.zuuu_mode.mode == ZuuuModePossiblities.BRAKE


class TestTeleoperator(TeleoperatorContract):
    @pytest.fixture
    def config(self, served: Any) -> TeleoperatorConfig:
        return Reachy2TeleoperatorConfig(ip_address="127.0.0.1", sdk_port=served.port, **PATIENCE)


class TestCamera(CameraContract):
    @pytest.fixture
    def config(self, served: Any) -> CameraConfig:
        return Reachy2CameraConfig(
            name="teleop",
            image_type="right",
            ip_address="127.0.0.1",
            port=served.video_port,
            width=64,
            height=48,
            fps=30,
        )


class TestDepthCamera(CameraContract):
    @pytest.fixture
    def config(self, served: Any) -> CameraConfig:
        return Reachy2CameraConfig(
            name="depth",
            image_type="depth",
            ip_address="127.0.0.1",
            port=served.video_port,
            width=640,
            height=480,
            fps=30,
        )


class TestPackage(PluginPackageContract):
    distribution = "lerobot-reachy2"


def test_nothing_loads_grpc_before_it_connects() -> None:
    program = """
import sys
from lerobot.reachy2.config import Reachy2CameraConfig, Reachy2Config, Reachy2TeleoperatorConfig
robot = Reachy2Config(with_left_teleop_camera=True, with_torso_camera=True).build()
devices = [robot, Reachy2TeleoperatorConfig().build(), Reachy2CameraConfig(name="depth", image_type="depth").build()]
assert robot.action_features and robot.observation_features
sys.exit("grpc" in sys.modules or "google.protobuf" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
