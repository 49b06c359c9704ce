"""The environment passes the conformance kit, whatever it shows and whichever it is, and so does its expert."""

from collections.abc import Iterator

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract, TeleoperatorContract
from lerobot.envs.config import EnvRobotConfig
from lerobot.xarm.config import XArmConfig, XArmExpertConfig


class TestXArm(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["pixels_agent_pos", "state"])
    def config(self, request: pytest.FixtureRequest) -> XArmConfig:
        return XArmConfig(obs_type=request.param)


class TestReference(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture
    def config(self) -> XArmConfig:
        return XArmConfig(obs_type="state", reference=True)


class TestExpert(TeleoperatorContract):
    @pytest.fixture
    def config(self) -> Iterator[XArmExpertConfig]:
        with EnvRobotConfig(id="with-expert", env=XArmConfig(obs_type="state")).build():
            yield XArmExpertConfig()


class TestPackage(PluginPackageContract):
    distribution = "lerobot-xarm"
