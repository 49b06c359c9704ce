"""A small task, and a policy that draws random numbers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn

from lerobot.core.config.base import EnvConfig
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.chunks import ActionQueue
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy


class PointEnv(gymnasium.Env[dict[str, Any], np.ndarray]):
    """A point that drifts chaotically; the last bit of an action decides the episode."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}
    task_description = "Stay below."

    def __init__(self) -> None:
        self.observation_space = gymnasium.spaces.Dict(
            {
                "agent_pos": gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32),
                "pixels": gymnasium.spaces.Dict({"top": gymnasium.spaces.Box(0, 255, (8, 10, 3), np.uint8)}),
            }
        )
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        super().reset(seed=seed)
        assert not options
        self.x = self.np_random.uniform(0.1, 0.9, 2)
        self.left = int(self.np_random.integers(5, 25))
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.x = 3.99 * self.x * (1 - self.x)
        self.x = np.clip(self.x + 1e-3 * action.astype(np.float64), 0.01, 0.99)
        self.left -= 1
        return self._observation(), float(self.x[0]), self.left == 0, False, {"is_success": bool(self.x[1] < 0.5)}

    def _observation(self) -> dict[str, Any]:
        return {"agent_pos": self.x.astype(np.float32), "pixels": {"top": self.render()}}

    def render(self) -> np.ndarray:
        picture = np.zeros((8, 10, 3), np.uint8)
        picture[:, :, 0] = int(255 * self.x[0])
        return picture


class PointEnvConfig(EnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "point"
    episode_length: int = 20

    def build(self, **_: Any) -> PointEnv:
        return PointEnv()


class NoisyConfig(PreTrainedConfig):
    target: ClassVar[str] = "unused"
    type: str = "noisy"
    device: str | None = "cpu"

    def build(self, **_: Any) -> "NoisyPolicy":
        return NoisyPolicy(self)


class NoisyPolicy(PreTrainedPolicy):
    """Chunks of three actions: a network's, with noise from torch's generator."""

    def __init__(self, config: PreTrainedConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.queue = ActionQueue(3)
        self.net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 6))

    def reset(self) -> None:
        self.queue.reset()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        chunk = self.net(batch["observation.state"]).reshape(-1, 3, 2)
        brightness = batch["observation.images.top"].mean(dim=(1, 2, 3))[:, None, None]
        return torch.tanh(chunk + brightness + 0.1 * torch.randn_like(chunk))

    def select_action(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return self.queue.next(lambda: self.predict_action_chunk(batch))

    def forward(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        raise AssertionError("never trained here")


@pytest.fixture
def env_config() -> PointEnvConfig:
    return PointEnvConfig()


@pytest.fixture
def trained() -> PolicyWithProcessors:
    torch.manual_seed(0)
    features = {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(2,)),
        "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 8, 10)),
        "action": PolicyFeature(type=FeatureType.ACTION, shape=(2,)),
    }
    policy = make_policy(NoisyConfig(), features)
    return PolicyWithProcessors(policy, make_pre_post_processors(policy.config))
