"""The contract of cameras, and of packages."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lerobot.core.testing import CameraContract, PluginPackageContract
from lerobot.opencv.config import OpenCVCameraConfig


class TestCamera(CameraContract):
    capabilities = {"discovery"}

    @pytest.fixture
    def config(self, tmp_path: Path) -> OpenCVCameraConfig:
        noise = np.random.default_rng(0)
        for number in range(60):
            cv2.imwrite(str(tmp_path / f"{number:03d}.png"), noise.integers(0, 255, (48, 64, 3), np.uint8))
        return OpenCVCameraConfig(index_or_path=tmp_path, fps=60, width=64, height=48, warmup_s=0)


class TestPackage(PluginPackageContract):
    distribution = "lerobot-opencv"
