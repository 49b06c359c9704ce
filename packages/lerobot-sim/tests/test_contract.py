"""The virtual arm, its camera and its operators pass the conformance kit."""

from collections.abc import Iterator
from typing import Any

import pytest

from lerobot.core.testing import (
    CameraContract,
    EnvContract,
    PluginPackageContract,
    RobotContract,
    TeleoperatorContract,
)
from lerobot.core.testing.contracts.device import InjectedFault
from lerobot.sim.config import ScriptedConfig, SimCameraConfig, SimEnvConfig, SimLeaderConfig, SimSO101Config
from lerobot.sim.robot import SimSO101

SMALL = {"width": 64, "height": 48, "fps": 30}


class TestSimSO101(RobotContract):
    capabilities = frozenset({"calibration", "cameras"})

    @pytest.fixture
    def config(self) -> SimSO101Config:
        return SimSO101Config(id="contract", renderer="painter", cameras={"front": SimCameraConfig(**SMALL)})

    def in_safe_state(self, device: Any) -> bool:
        return not device.world.torque


class TestSimCamera(CameraContract):
    capabilities = frozenset({"discovery"})

    @pytest.fixture
    def config(self) -> SimCameraConfig:
        return SimCameraConfig(**SMALL)

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no thread to break; the first picture fails instead."""

        def fail(*_: Any) -> None:
            raise InjectedFault("no picture, as the contract wants")

        monkeypatch.setattr("lerobot.sim.rendering.Pictures.render", fail)


class TestScripted(TeleoperatorContract):
    capabilities = frozenset({"events"})

    @pytest.fixture
    def config(self) -> Iterator[ScriptedConfig]:
        with SimSO101(SimSO101Config(id="with-scripted")):
            yield ScriptedConfig()


class TestSimLeader(TeleoperatorContract):
    @pytest.fixture
    def config(self) -> SimLeaderConfig:
        return SimLeaderConfig(task="reach")


# Actions are in the robot's own units, degrees and percent, which the checker would rather see normalised.
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")
class TestSimEnv(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["reach", "push", "lift", "place", "stack"])
    def config(self, request: pytest.FixtureRequest) -> SimEnvConfig:
        return SimEnvConfig(task=request.param, width=64, height=48, renderer="painter")


class TestPackage(PluginPackageContract):
    distribution = "lerobot-sim"
