"""Both scenes pass the conformance kit, whatever they show and however they are commanded."""

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract
from lerobot.gym_hil.config import GymHilConfig

STATES = {"obs_type": "environment_state_agent_pos", "random_block_position": True}

# Of a class of the gripper the checker would rather see a normalised number, and of joints their bounds.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*symmetric and normalized space", "ignore:.*Box observation space m.*imum value is"
)


class TestGymHil(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["PandaPickCube-v0", "PandaArrangeBoxesBase-v0"])
    def config(self, request: pytest.FixtureRequest) -> GymHilConfig:
        return GymHilConfig(task=request.param, quality="fast", **STATES)


class TestGymHilWithPictures(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture
    def config(self) -> GymHilConfig:
        return GymHilConfig(random_block_position=True, quality="fast", observation_height=32, observation_width=48)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-gym-hil"
