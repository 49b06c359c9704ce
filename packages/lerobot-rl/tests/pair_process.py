"""Runs actor or learner as a process that is killed: pair_process.py ROLE FOLDER LEARNER_PORT ARM_ADDRESS.

One message in twenty between them is lost, in both directions.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from experience import CloningConfig, LinearConfig
from lossy import Lossy

from lerobot.core.fake.joints import RANGES
from lerobot.policies.processing.pipelines import default_processors
from lerobot.remote.config import RemoteRobotConfig
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.commands.learner import LearnerCommandConfig
from lerobot.rl.pair import courier

LOST = 0.05
LOW, HIGH = ([float(limits[side]) for limits in RANGES.values()] for side in (0, 1))
STATS = {key: {"min": LOW, "max": HIGH} for key in ("observation.state", "action")}


class ArmPolicyConfig(LinearConfig):
    """Knows the range of the fake arm."""

    processors: ClassVar[str] = "pair_process:processors"
    type: str = "arm_policy"


def processors(config: Any, stats: Any) -> Any:
    return default_processors(config, {**(stats or {}), **STATS})


def settings(port: int, arm: str) -> dict[str, Any]:
    """What both read."""
    return {
        "policy": ArmPolicyConfig(device="cpu", push_to_hub=False),
        "algorithm": CloningConfig(),
        "robot": RemoteRobotConfig(address=arm),
        "fps": 20,
        "episode_time_s": 0.4,
        "safety": {"ramp_s": 0.0, "stop_after_s": 5.0},
        "batch_size": 8,
        "save_freq": 20,
        "online": {"steps": 1_000_000, "warmup_steps": 5, "updates_per_step": 0.5},
        "learner": {"port": port, "push_s": 0.3, "wait_s": 120.0},
    }


def lossy_actor(config: ActorConfig) -> int:
    """An actor whose messages are lost now and then."""
    from lerobot.rl.pair.command import actor

    draw, open_link = random.Random(5), courier.open_link

    @contextmanager
    def opened(*arguments: Any, **options: Any) -> Iterator[Any]:
        with open_link(*arguments, **options) as link:
            yield Lossy(link, LOST, draw)

    courier.open_link = opened
    courier.Courier.__init__.__kwdefaults__["answer_s"] = 0.5
    return actor(config)


if __name__ == "__main__":
    # The policy's file names this module.
    sys.modules["pair_process"] = sys.modules["__main__"]
    role, folder, given = sys.argv[1], Path(sys.argv[2]), settings(int(sys.argv[3]), sys.argv[4])
    if role == "actor":
        sys.exit(lossy_actor(ActorConfig.model_validate(given)))
    from lerobot.rl.pair.command import learner

    resume = (folder / "replay").exists()
    sys.exit(learner(LearnerCommandConfig.model_validate({**given, "output_dir": folder, "resume": resume})))
