"""Every device of the package passes the conformance kit, on virtual servos."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import RobotConfig, TeleoperatorConfig
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.core.testing import PluginPackageContract, RobotContract, TeleoperatorContract
from lerobot.keyboard.config import KeyboardConfig
from lerobot.lekiwi.config import LeKiwiClientConfig, LeKiwiLeaderConfig
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.testing import FollowerContract
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration


def at_rest(line: VirtualBus) -> bool:
    states = [line.state(servo.id) for servo in line.spec.servos]
    return not any(state["Torque_Enable"] or state["Goal_Velocity"] for state in states)


class TestRobot(FollowerContract):
    registered = arm = "lekiwi"
    id = "kiwi"

    def in_safe_state(self, device: Any) -> bool:
        return at_rest(self.lines[0])


@dataclass(frozen=True)
class Served:
    """A virtual robot behind `lerobot serve`, in a process of its own."""

    line: VirtualBus
    port: int


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, calibration: dict[str, MotorCalibration]) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    save_calibration(folder / "kiwi.json", calibration)
    with VirtualBus(with_calibration(ARMS["lekiwi"], calibration)) as line:
        program = [sys.executable, str(Path(__file__).with_name("serving.py")), "--port=0", "--robot.type=lekiwi"]
        flags = [f"--robot.port={line.port}", "--robot.id=kiwi", f"--robot.calibration_dir={folder}"]
        cameras = "--robot.cameras={front: {type: fake, width: 64, height: 48, fps: 30}}"
        with subprocess.Popen([*program, *flags, cameras], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                address = process.stdout.readline()
                yield Served(line, int(address.partition("127.0.0.1:")[2].partition(";")[0]))
            finally:
                process.terminate()
        assert process.returncode == 0


class TestClient(RobotContract):
    capabilities: ClassVar[set[str]] = {"cameras"}

    @pytest.fixture
    def config(self, served: Served) -> RobotConfig:
        self.line = served.line
        return LeKiwiClientConfig(remote_ip="127.0.0.1", port=served.port, connect_timeout_s=30)

    def in_safe_state(self, robot: Any) -> bool:
        return at_rest(self.line)


class TestLeader(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        super().break_connect(device._keyboard, monkeypatch)

    @pytest.fixture
    def config(self, typist: Any) -> TeleoperatorConfig:
        return LeKiwiLeaderConfig(arm=FakeTeleoperatorConfig(), keyboard=KeyboardConfig(backend="terminal"))


class TestPackage(PluginPackageContract):
    distribution = "lerobot-lekiwi"
