"""The kit on what core provides: fakes and steps pass every contract, with and without their optional abilities."""

from typing import Any

import numpy as np
import pytest

from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.processors import create_transition
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.core.testing import (
    CameraContract,
    EnvContract,
    PluginPackageContract,
    PolicyContract,
    ProcessorContract,
    RewardModelContract,
    RobotContract,
    TeleoperatorContract,
)
from lerobot.core.testing.fake_env import FakeEnvConfig
from lerobot.core.testing.fake_policy import FakePolicyConfig
from lerobot.core.testing.fake_reward_model import FakeRewardModelConfig


class TestFakeRobot(RobotContract):
    capabilities = frozenset({"calibration", "setup_motors"})

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return FakeRobotConfig()

    def in_safe_state(self, robot: Any) -> bool:
        return not robot.torque_enabled


class TestFakeRobotWithCamera(RobotContract):
    capabilities = frozenset({"calibration", "cameras", "setup_motors"})

    @pytest.fixture
    def config(self) -> FakeRobotConfig:
        return FakeRobotConfig(cameras={"front": FakeCameraConfig(width=64, height=48, fps=100)})

    def in_safe_state(self, robot: Any) -> bool:
        return not robot.torque_enabled


class TestFakeTeleoperator(TeleoperatorContract):
    capabilities = frozenset({"calibration", "events", "feedback"})

    @pytest.fixture
    def config(self) -> FakeTeleoperatorConfig:
        return FakeTeleoperatorConfig()


class TestFakeCamera(CameraContract):
    capabilities = frozenset({"discovery"})

    @pytest.fixture
    def config(self) -> FakeCameraConfig:
        return FakeCameraConfig(width=64, height=48, fps=60)


class TestFakePolicy(PolicyContract):
    capabilities = frozenset({"padding"})

    @pytest.fixture
    def config(self) -> FakePolicyConfig:
        return FakePolicyConfig()

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        random = np.random.default_rng(1)
        padding = np.zeros((8, 3), bool)
        padding[2, 1:] = True
        return {
            "observation.state": random.normal(size=(8, 4)).astype(np.float32),
            "action": random.normal(size=(8, 3, 2)).astype(np.float32),
            "action_is_pad": padding,
            "task": ["push"] * 8,
        }


class TestNoisyFakePolicy(TestFakePolicy):
    """A policy that samples passes as well: the kit seeds it."""

    @pytest.fixture
    def config(self) -> FakePolicyConfig:
        return FakePolicyConfig(noise=0.1)


class TestFakeEnv(EnvContract):
    @pytest.fixture
    def config(self) -> FakeEnvConfig:
        return FakeEnvConfig()


class TestRenameStep(ProcessorContract):
    @pytest.fixture
    def config(self) -> RenameObservationsConfig:
        return RenameObservationsConfig(rename_map={"a": "b"})

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        return create_transition({"a": np.zeros(3, np.float32), "c": 1.0}, {"joint.pos": 2.0})


class TestFakeRewardModel(RewardModelContract):
    @pytest.fixture
    def config(self) -> FakeRewardModelConfig:
        return FakeRewardModelConfig()

    @pytest.fixture
    def frames(self) -> dict[str, Any]:
        return {"observation.state": np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)}


class TestCorePackage(PluginPackageContract):
    distribution = "lerobot-core"
