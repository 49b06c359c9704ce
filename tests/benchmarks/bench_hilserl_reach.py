"""HIL-SERL on the virtual arm's `reach`, from two pictures of 64 by 64 pixels, with a scripted person who corrects it.

Usage: python bench_hilserl_reach.py FOLDER SEED STEPS. Writes FOLDER/metrics.csv and the checkpoints of the run.
"""

import sys
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lerobot.core.config.base import TeleoperatorConfig
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.rl.commands.train_rl import TrainRLConfig
from lerobot.sim.config import ScriptedConfig
from lerobot.sim.joints import features
from lerobot.sim.running import running
from lerobot.sim.scripted import ScriptedTeleoperator

STEP_DEG, FPS = 8.0, 10
CAMERAS = {name: {"type": "sim", "width": 64, "height": 64, "fps": FPS} for name in ("front", "top")}


class PersonConfig(TeleoperatorConfig):
    """Shows so many episodes; later acts for `turn` steps whenever the hand came no nearer in `patience` steps."""

    target: ClassVar[str] = "bench_hilserl_reach:Person"

    type: str = "scripted_person"
    shows: int = 10
    patience: int = 8
    turn: int = 5
    nearer_m: float = 0.01


class Person(PlainTeleoperator):
    """See its configuration."""

    name = "scripted_person"

    def __init__(self, config: PersonConfig, **_: Any) -> None:
        super().__init__(config.id)
        self.config = config
        self._expert = ScriptedTeleoperator(ScriptedConfig())
        self._first: int | None = None
        self._episode = -1
        self._distances: deque[float] = deque(maxlen=config.patience)
        self._left = 0

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        return features(degrees=True)

    def _open(self) -> None:
        self._expert.connect()

    def _close(self) -> None:
        self._expert.disconnect()

    def get_action(self) -> Action:
        self.require_connected()
        world = running.find(None, wanted_by=str(self))
        if world.episodes_started != self._episode:
            self._first = world.episodes_started if self._first is None else self._first
            self._episode, self._left = world.episodes_started, 0
            self._distances.clear()
        self._left = max(0, self._left - 1)
        distance = float(np.linalg.norm(world.position("grasp") - world.position("ball")))
        stuck = len(self._distances) == self.config.patience and distance > self._distances[0] - self.config.nearer_m
        if not self._left and stuck:
            self._left = self.config.turn
            self._distances.clear()
        self._distances.append(distance)
        return self._expert.get_action()

    def get_teleop_events(self) -> dict[str, bool]:
        shows = self._first is not None and self._episode - self._first < self.config.shows
        return {"is_intervention": shows or self._left > 0}


def config(folder: Path, *, seed: int = 0, steps: int = 3000, **changes: Any) -> TrainRLConfig:
    """The run."""
    own = {"min": [-STEP_DEG] * 6, "max": [STEP_DEG] * 6}
    return TrainRLConfig.model_validate(
        {
            "policy": {
                "type": "gaussian_actor",
                "device": "cpu",
                "push_to_hub": False,
                "dataset_stats": {"action": own},
                "relative_actions": True,
                "freeze_vision_encoder": False,
                "image_encoder_hidden_dim": 16,
                "latent_dim": 64,
            },
            "algorithm": {"type": "sac", "temperature_init": 0.01, "num_critics": 2, "discount": 0.95},
            "robot": {
                "type": "sim_so101", "task": "reach", "cameras": CAMERAS, "realtime": False, "control_hz": FPS,
                "seed": seed,
            },
            "teleop": PersonConfig(),
            "detector": {"type": "scene"},
            "fps": FPS,
            "episode_time_s": 4.0,
            "safety": {"ramp_s": 0.0, "max_velocity": STEP_DEG * FPS},
            "online": {"steps": steps, "warmup_steps": 150, "updates_per_step": 1.0},
            "batch_size": 64,
            "output_dir": folder,
            "seed": seed,
            "save_freq": 500,
            **changes,
        }
    )  # fmt: skip


if __name__ == "__main__":
    from lerobot.rl.command import train_rl

    sys.exit(train_rl(config(Path(sys.argv[1]), seed=int(sys.argv[2]), steps=int(sys.argv[3]))))
