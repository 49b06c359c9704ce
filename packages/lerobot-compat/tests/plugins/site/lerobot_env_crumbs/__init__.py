"""An environment as others write them for huggingface/lerobot: a point that is swept to zero."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig


class Sweep(gymnasium.Env[Any, Any]):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, start: float = 1.0, render_mode: str | None = None) -> None:
        self.observation_space = gymnasium.spaces.Dict({"agent_pos": gymnasium.spaces.Box(-2, 2, (2,), np.float32)})
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self.start, self.render_mode = start, render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = np.full(2, self.start, np.float32)
        return {"agent_pos": self.place.copy()}, {}

    def step(self, action: Any) -> Any:
        self.place = self.place + np.asarray(action, np.float32) * 0.5
        done = bool(np.abs(self.place).max() < 0.3)
        return {"agent_pos": self.place.copy()}, float(done), done, False, {"is_success": done}

    def render(self) -> Any:
        return np.zeros((16, 16, 3), np.uint8)


gymnasium.register(id="lerobot_env_crumbs/Sweep-v0", entry_point=Sweep)


@EnvConfig.register_subclass("crumbs")
@dataclass
class CrumbsEnv(EnvConfig):
    task: str | None = "Sweep-v0"
    start: float = 1.0  # where the point lies at first
    episode_length: int = 5
    features: dict[str, PolicyFeature] = field(
        default_factory=lambda: {
            "action": PolicyFeature(type=FeatureType.ACTION, shape=(2,)),
            "agent_pos": PolicyFeature(type=FeatureType.STATE, shape=(2,)),
        }
    )
    features_map: dict[str, str] = field(default_factory=lambda: {"action": "action", "agent_pos": "observation.state"})

    @property
    def package_name(self) -> str:
        return "lerobot_env_crumbs"

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        return {"start": self.start, "render_mode": "rgb_array"}
