"""HIL-SERL on the virtual arm's `reach`, from two pictures of 64 by 64 pixels, with a person who corrects it.

Usage: python reach.py FOLDER SEED STEPS. Writes FOLDER/metrics.csv and the checkpoints of the run.
"""

import sys
from pathlib import Path
from typing import Any

from person import PersonConfig

from lerobot.rl.commands.train_rl import TrainRLConfig

STEP_DEG, FPS = 8.0, 10
CAMERAS = {name: {"type": "sim", "width": 64, "height": 64, "fps": FPS} for name in ("front", "top")}


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
