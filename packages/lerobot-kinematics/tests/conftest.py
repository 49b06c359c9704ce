"""The SO-101, and what placo makes of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from lerobot.kinematics.arm import Arm
from lerobot.kinematics.config import KinematicsConfig

URDFS = Path(__file__).resolve().parents[4] / "shared/data/kinematics"


@pytest.fixture(scope="session")
def arm() -> Arm:
    return Arm(KinematicsConfig(urdf_path="so101"))


@pytest.fixture(scope="session")
def golden() -> list[dict[str, np.ndarray]]:
    cases = json.loads((Path(__file__).parent / "placo_so101.json").read_text())["cases"]
    return [{key: np.array(value) for key, value in case.items()} for case in cases]


@pytest.fixture(scope="session")
def urdfs() -> Path:
    if not URDFS.is_dir():
        pytest.skip("../shared/data is absent")
    return URDFS
