"""PushT passes the conformance kit, whatever it shows."""

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract
from lerobot.pusht.config import PushTConfig


# Actions are places on the table, which the checker would rather see normalised.
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")
class TestPushT(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["pixels_agent_pos", "environment_state_agent_pos", "pixels", "state"])
    def config(self, request: pytest.FixtureRequest) -> PushTConfig:
        return PushTConfig(obs_type=request.param)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-pusht"
