"""A cart on a slope as an environment, who pushes it, and a run that learns to."""

import time
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from experience import CloningConfig, LinearConfig

from lerobot.core.config.base import EnvConfig, TeleoperatorConfig
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import FeatureSpec
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.commands.train_rl import TrainRLConfig


class Slope(gymnasium.Env[dict[str, Any], np.ndarray]):
    """At the top, 1, the task is solved and pays 1; after ten steps the time is over."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": [], "render_fps": 10}
    task_description = "Go up."
    action_names = ("push",)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    pause_s = 0.0
    observation_space = gymnasium.spaces.Dict({"agent_pos": gymnasium.spaces.Box(-5, 5, (1,))})

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.steps = self.np_random.uniform(0, 0.5), 0
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        time.sleep(self.pause_s)
        self.x, self.steps = self.x + 0.25 * float(action[0]), self.steps + 1
        solved = self.x >= 1
        return self._seen(), float(solved), solved, not solved and self.steps == 10, {"is_success": solved}

    def _seen(self) -> dict[str, Any]:
        return {"agent_pos": np.array([self.x], np.float32)}


class SlopeConfig(EnvConfig):
    target: ClassVar[str] = "slope:make"
    type: str = "slope"
    pause_s: float = 0.0


def make(config: SlopeConfig) -> Slope:
    env = Slope()
    env.pause_s = config.pause_s
    return env


class Helper(PlainTeleoperator):
    """A person who pushes up in every third step."""

    name = "helper"
    action_features: ClassVar[dict[str, FeatureSpec]] = {"push": FeatureSpec(unit="1/step", range=(-1.0, 1.0))}

    def __init__(self, config: Any, **_: Any) -> None:
        super().__init__(config.id)
        self.asked = 0

    def get_action(self) -> dict[str, float]:
        self.require_connected()
        self.asked += 1
        return {"push": 1.0}

    def get_teleop_events(self) -> dict[str, bool]:
        return {"is_intervention": self.asked % 3 == 0, "success": False, "failure": False, "terminate_episode": False}


class HelperConfig(TeleoperatorConfig):
    target: ClassVar[str] = "slope:Helper"
    type: str = "helper"


STATS = {"observation.state": {"min": [-1.0], "max": [2.0]}}


class SlopePolicyConfig(LinearConfig):
    """Knows the range of what it sees."""

    processors: ClassVar[str] = "slope:processors"
    type: str = "slope_policy"


def processors(config: Any, stats: Any) -> Any:
    from lerobot.policies.processing.pipelines import default_processors

    return default_processors(config, {**(stats or {}), **STATS})


def config(folder: Path, **fields: Any) -> TrainRLConfig:
    """A run of some episodes."""
    return TrainRLConfig.model_validate(
        {
            "policy": SlopePolicyConfig(device="cpu", push_to_hub=False),
            "algorithm": CloningConfig(steps=2),
            "env": SlopeConfig(),
            "output_dir": folder,
            "batch_size": 8,
            "save_freq": 1000,
            "safety": {"ramp_s": 0.0},
            "online": {"steps": 60, "warmup_steps": 5, "updates_per_step": 0.5},
            **fields,
        }
    )


def fields(port: int, **learner: Any) -> dict[str, Any]:
    """What actor and learner have in common."""
    return {
        "policy": SlopePolicyConfig(device="cpu", push_to_hub=False),
        "algorithm": CloningConfig(),
        "batch_size": 8,
        "save_freq": 20,
        "safety": {"ramp_s": 0.0},
        "online": {"steps": 100_000, "warmup_steps": 5, "updates_per_step": 0.5},
        "learner": {"port": port, "push_s": 0.2, **learner},
    }


def actor_config(port: int, *, pause_s: float = 0.0, **learner: Any) -> ActorConfig:
    """An actor on the slope."""
    return ActorConfig.model_validate({**fields(port, **learner), "env": SlopeConfig(pause_s=pause_s)})
