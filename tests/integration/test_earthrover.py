"""An EarthRover through the commands: driven with keys, recorded, replayed, learned from and driven by the policy."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.earthrover.virtual import VirtualRover

SMALL_ACT = (
    "--policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2 --policy.n_encoder_layers=1"
    " --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
SOON = "--safety.ramp_s=0.2"


@pytest.fixture
def rover() -> Iterator[VirtualRover]:
    with VirtualRover() as rover:
        yield rover


@pytest.fixture
def run(tmp_path: Path, rover: VirtualRover) -> Callable[..., str]:
    """Runs a command line in a terminal, with one key held while it drives."""
    environment = {**os.environ, "HF_LEROBOT_HOME": str(tmp_path / "lerobot"), "HF_HUB_OFFLINE": "1"}

    def run(line: str, key: str = "") -> str:
        command, *arguments = line.replace(
            "ROVER", f"--robot.type=earthrover_mini_plus --robot.sdk_url={rover.url}"
        ).split(" --")
        program = shutil.which(command)
        assert program, command
        terminal = pexpect.spawn(
            program,
            [f"--{argument.strip()}" for argument in arguments],
            env=environment,
            cwd=str(tmp_path),
            encoding="utf-8",
            timeout=0.1,
            dimensions=(40, 200),
        )
        shown = ""
        for _ in range(3000):
            found = terminal.expect([pexpect.EOF, pexpect.TIMEOUT])
            if found == 0:
                break
            if key:
                terminal.send(key)
        shown += str(terminal.before)
        terminal.close()
        assert terminal.exitstatus == 0, shown
        assert "Traceback" not in shown
        return shown

    return run


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_driving_to_a_policy_that_drives(rover: VirtualRover, run: Callable[..., str], tmp_path: Path) -> None:
    teleop = "--teleop.type=keyboard_rover --teleop.backend=terminal --teleop.linear_speed=0.5"
    run(
        f"lerobot-record ROVER {teleop} {SOON} --dataset.repo_id=me/path --dataset.num_episodes=1 --dataset.fps=10"
        " --dataset.single_task=Drive along the path --dataset.episode_time_s=3 --dataset.reset_time_s=0"
        " --dataset.push_to_hub=false",
        key="w",
    )
    (root,) = (tmp_path / "lerobot/me").iterdir()
    dataset = LeRobotDataset(f"me/{root.name}", root=root)
    assert dataset.meta.features["action"]["names"] == ["linear_velocity", "angular_velocity"]
    assert set(dataset[0]) >= {"observation.images.front", "observation.images.rear", "observation.state"}
    assert max(float(dataset[i]["action"][0]) for i in range(len(dataset))) == pytest.approx(0.5)
    assert rover.velocity == (0.0, 0.0)

    before = len(rover.commands)
    run(f"lerobot-replay ROVER {SOON} --dataset.repo_id=me/{root.name} --dataset.episode=0")
    assert max(command["linear"] for command in rover.commands[before:]) == pytest.approx(0.5)
    assert rover.velocity == (0.0, 0.0)
    run(
        f"lerobot-train --dataset.repo_id=me/{root.name} --policy.type=act --output_dir=outputs --policy.device=cpu"
        f" --steps=2 --batch_size=2 --num_workers=0 {SMALL_ACT}"
    )
    before = len(rover.commands)
    run(
        f"lerobot-rollout --strategy.type=base ROVER {SOON} --task=Drive along the path --duration=1 --fps=10"
        " --return_to_initial_position=false --policy.path=outputs/checkpoints/last/pretrained_model"
    )
    assert len(rover.commands) > before
    assert rover.velocity == (0.0, 0.0)
