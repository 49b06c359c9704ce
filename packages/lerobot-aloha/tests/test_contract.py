"""Both tasks pass the conformance kit."""

import pytest

from lerobot.aloha.config import AlohaConfig
from lerobot.core.testing import EnvContract, PluginPackageContract

SMALL = {"observation_width": 64, "observation_height": 48, "quality": "fast"}


# Actions are joint targets, which the checker would rather see normalised.
pytestmark = pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")


class TestAloha(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["AlohaInsertion-v0", "AlohaTransferCube-v0"])
    def config(self, request: pytest.FixtureRequest) -> AlohaConfig:
        return AlohaConfig(task=request.param, **SMALL)


class TestAlohaPicturesAlone(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture
    def config(self) -> AlohaConfig:
        return AlohaConfig(obs_type="pixels", **SMALL)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-aloha"
