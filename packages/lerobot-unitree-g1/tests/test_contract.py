"""Every device of the package passes the conformance kit: a robot in another process, and printed lines."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import zmq

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.unitree_g1.config import ExoskeletonPort, UnitreeG1Config, UnitreeG1TeleoperatorConfig


class TestRobot(RobotContract):
    capabilities: ClassVar[set[str]] = {"cameras"}

    @pytest.fixture
    def config(self, served: Any) -> Iterator[RobotConfig]:
        with zmq.Context() as context, context.socket(zmq.REQ) as self.report:
            self.report.connect(f"tcp://127.0.0.1:{served.report_port}")
            camera = FakeCameraConfig(width=64, height=48, fps=30)
            yield UnitreeG1Config(**served.where, measured="all", cameras={"front": camera})

    def in_safe_state(self, robot: Any) -> bool:
        """Asked from the robot, over a connection of the test's own: no stiffness, and all the damping."""
        time.sleep(0.05)  # a command is on its way
        self.report.send(b"")
        told = self.report.recv_json()
        return [(kp, kd) for _, kp, kd in told] == [(0.0, kd) for kd in robot.config.kd]


class TestExoskeleton(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration"}

    @pytest.fixture
    def config(self, worn: Any, wearer: Callable[..., Any], calibrations: Path) -> TeleoperatorConfig:
        self.wear = lambda: wearer(worn)
        ports = {f"{side}_arm_config": ExoskeletonPort(port=getattr(worn, side).port) for side in ("left", "right")}
        return UnitreeG1TeleoperatorConfig(**ports, id="exo", calibration_dir=calibrations)

    def run_calibration(self, device: Any) -> None:
        device.prompter = self.wear()
        device.calibrate()


class TestPackage(PluginPackageContract):
    distribution = "lerobot-unitree-g1"


def test_nothing_loads_zeromq_before_it_connects() -> None:
    program = """
import sys
from lerobot.unitree_g1.config import UnitreeG1Config
robot = UnitreeG1Config(is_simulation=False).build()
assert robot.action_features and robot.observation_features
sys.exit("zmq" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
