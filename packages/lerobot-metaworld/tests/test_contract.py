"""The environment passes the conformance kit, with a picture and without, and so does its expert."""

from collections.abc import Iterator

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract, TeleoperatorContract
from lerobot.envs.config import EnvRobotConfig
from lerobot.metaworld.config import MetaworldConfig, MetaworldExpertConfig

# Where objects lie has no bounds in the benchmark.
pytestmark = pytest.mark.filterwarnings("ignore:.*Box observation space m.* value is .*infinity")


class TestMetaworld(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["pixels_agent_pos", "environment_state_agent_pos"])
    def config(self, request: pytest.FixtureRequest) -> MetaworldConfig:
        small = {"observation_width": 64, "observation_height": 48, "quality": "fast"}
        return MetaworldConfig(task="reach-v3", obs_type=request.param, **small)


class TestExpert(TeleoperatorContract):
    @pytest.fixture
    def config(self) -> Iterator[MetaworldExpertConfig]:
        env = MetaworldConfig(task="reach-v3", obs_type="environment_state_agent_pos")
        with EnvRobotConfig(id="with-expert", env=env).build():
            yield MetaworldExpertConfig()


class TestPackage(PluginPackageContract):
    distribution = "lerobot-metaworld"
