"""The environment passes the conformance kit, whatever it shows and whichever it is."""

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract
from lerobot.xarm.config import XArmConfig


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


class TestPackage(PluginPackageContract):
    distribution = "lerobot-xarm"
