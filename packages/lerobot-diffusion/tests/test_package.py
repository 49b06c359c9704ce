"""The contract of plugin packages."""

import importlib

import pytest

from lerobot.core.testing import PluginPackageContract
from lerobot.policies.denoising.noise import NoiseSchedule


class TestPackage(PluginPackageContract):
    distribution = "lerobot-diffusion"


def test_the_old_name_of_the_schedule_still_works() -> None:
    old = importlib.import_module("lerobot.diffusion.noise")
    with pytest.warns(FutureWarning, match=r"lerobot\.policies\.denoising\.noise"):
        assert old.NoiseSchedule is NoiseSchedule
