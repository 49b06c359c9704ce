"""LIBERO passes the conformance kit."""

from pathlib import Path

import pytest

from lerobot.core.testing import EnvContract, PluginPackageContract
from lerobot.libero.config import LiberoConfig

SMALL = {"observation_width": 32, "observation_height": 32, "quality": "fast"}


@pytest.mark.slow
# Absolute actions are places, which the checker would rather see normalised.
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")
class TestLibero(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture(params=["put back", "built anew", "absolute"])
    def config(self, request: pytest.FixtureRequest, assets: Path) -> LiberoConfig:
        fields = {
            "put back": {"hard_reset": False},
            "built anew": {"init_states": False},
            "absolute": {"control_mode": "absolute", "hard_reset": False},
        }[request.param]
        return LiberoConfig(task="libero_90", task_ids=[20], assets=assets, **SMALL, **fields)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-libero"
