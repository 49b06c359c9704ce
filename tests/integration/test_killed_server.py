"""A served policy whose process is killed, or stands still, leaves the robot in its safe state."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.core.config import load
from lerobot.core.errors import LeRobotError
from lerobot.core.fake.robot import FakeRobot
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig

KILLS = 20


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained ACT for the fake robot."""
    config = ACTConfig(
        input_features={
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
            "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 40)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(6,))},
        vision_backbone="resnet8", pretrained_backbone_weights=None, dim_model=32, n_heads=4, chunk_size=4,
        n_action_steps=2, device="cpu",
    )  # fmt: skip
    stats: dict[str, Any] = {
        key: {"mean": torch.zeros(6), "std": torch.full((6,), 20.0)} for key in ("observation.state", "action")
    }
    stats["observation.images.top"] = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.3)}
    PolicyWithProcessors(config.build(), make_processors(config, stats)).save_pretrained(tmp_path / "act")
    return tmp_path / "act"


@contextmanager
def served(checkpoint: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process of `lerobot serve`, and its address."""
    command = [str(Path(sys.executable).parent / "lerobot"), "serve", "--port=0", f"--policy.path={checkpoint}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().partition("serving at ")[2].partition(";")[0]
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_process_that_is_killed_leaves_the_robot_safe(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    robots: list[FakeRobot] = []
    connect = FakeRobot.connect

    def connected(self: FakeRobot, *arguments: Any, **options: Any) -> None:
        robots.append(self)
        connect(self, *arguments, **options)

    monkeypatch.setattr(FakeRobot, "connect", connected)
    chance = np.random.default_rng(0)
    for number in range(KILLS):
        with served(checkpoint) as (process, address):
            commands, how = int(chance.integers(1, 60)), (signal.SIGKILL, signal.SIGSTOP)[number % 2]

            def end(process: Any = process, after: int = commands, how: int = how, seen: int = number) -> None:
                until = time.monotonic() + 30
                while time.monotonic() < until and not (len(robots) > seen and len(robots[seen].log) > after):
                    time.sleep(0.002)
                os.kill(process.pid, how)

            killer = threading.Thread(target=end)
            killer.start()
            camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
            flags = [f"--policy.address={address}", "--policy.type=remote", "--policy.reply_timeout_s=0.3"]
            flags += ["--robot.type=fake", camera, "--fps=50", "--return_to_initial_position=false", "--duration=60"]
            flags.append(f"--inference.type={'async' if number % 4 < 2 else 'sync'}")
            with pytest.raises(LeRobotError):
                rollout(load(RolloutConfig, flags).config)
            killer.join()
        assert len(robots) == number + 1
        assert robots[number].log[-1].event == "torque off"
