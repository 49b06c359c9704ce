"""The contract of cameras, and of packages."""

from pathlib import Path

import pytest

from lerobot.core.testing import CameraContract, PluginPackageContract
from lerobot.realsense.config import RealSenseCameraConfig


class TestColor(CameraContract):
    capabilities = {"discovery"}

    @pytest.fixture
    def config(self, drawn: Path) -> RealSenseCameraConfig:
        return RealSenseCameraConfig(recording=drawn, width=64, height=48, fps=30, warmup_s=0)


class TestDepth(CameraContract):
    capabilities = {"discovery"}

    @pytest.fixture
    def config(self, drawn: Path) -> RealSenseCameraConfig:
        return RealSenseCameraConfig(
            recording=drawn, width=64, height=48, fps=30, warmup_s=0, use_rgb=False, use_depth=True
        )


class TestPackage(PluginPackageContract):
    distribution = "lerobot-realsense"
