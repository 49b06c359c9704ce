"""The contracts of devices, through the wire: the hosts are another process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.testing import CameraContract, RobotContract, TeleoperatorContract
from lerobot.core.testing.contracts.device import InjectedFault
from lerobot.remote.config import RemoteCameraConfig, RemoteRobotConfig, RemoteTeleoperatorConfig


@dataclass(frozen=True)
class Hosts:
    addresses: dict[str, str]
    torque: Path


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    torque = tmp_path_factory.mktemp("robot") / "torque"
    program = [sys.executable, str(Path(__file__).with_name("fake_hosts.py")), str(torque)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Hosts(json.loads(process.stdout.readline()), torque)
        process.stdin.close()
        assert process.wait(timeout=30) == 0


class TestRemoteRobot(RobotContract):
    capabilities: ClassVar[set[str]] = {"cameras"}

    @pytest.fixture
    def config(self, hosts: Hosts) -> RemoteRobotConfig:
        self.torque = hosts.torque
        return RemoteRobotConfig(address=hosts.addresses["robot"])

    def in_safe_state(self, robot: Any) -> bool:
        return self.torque.read_text() == "off"


class TestRemoteTeleoperator(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"events", "feedback"}

    @pytest.fixture
    def config(self, hosts: Hosts) -> RemoteTeleoperatorConfig:
        return RemoteTeleoperatorConfig(address=hosts.addresses["teleoperator"])


class TestRemoteCamera(CameraContract):
    @pytest.fixture
    def config(self, hosts: Hosts) -> RemoteCameraConfig:
        return RemoteCameraConfig(address=hosts.addresses["camera"], width=48, height=32, fps=60)

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reading cannot begin; without any thread, the library of the wire would leave a socket of its own open."""

        def fail(_timeout_s: float) -> None:
            raise InjectedFault("reading does not begin, as the contract wants")

        monkeypatch.setattr(device, "_start_reading", fail)
