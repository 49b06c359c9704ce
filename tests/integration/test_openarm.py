"""OpenArms through the commands: calibrated, led, recorded, replayed, learned from and driven by the policy."""

from pathlib import Path

import numpy as np
import pytest
from arm_commands import CAMERA, SMALL_ACT, SOON, released, run_command

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.motors.virtual import ARMS, VirtualBus

POSE = {1: 10.0, 2: 6.0, 3: -8.0, 4: 20.0, 5: 5.0, 6: -7.0, 7: 4.0, 8: -15.0}
"""Where somebody puts the leader, degrees."""

JOINTS = [*(f"joint_{i}" for i in range(1, 8)), "gripper"]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_from_the_zero_pose_to_a_policy_that_drives(tmp_path: Path) -> None:
    with VirtualBus(ARMS["openarm"]) as follower, VirtualBus(ARMS["openarm"]) as leader:
        robot = (
            f"--robot.type=openarm_follower --robot.port={follower.port} --robot.can_interface=slcan"
            " --robot.side=right --robot.id=my_follower"
        )
        teleop = (
            f"--teleop.type=openarm_leader --teleop.port={leader.port} --teleop.can_interface=slcan"
            " --teleop.id=my_leader"
        )
        cameras = f"--robot.cameras={CAMERA}"
        for device in (robot, teleop):
            assert "hanging straight down" in run_command(tmp_path, f"lerobot-calibrate {device}", keys="\n")
        leader.move(POSE)
        run_command(
            tmp_path,
            f"lerobot-record {robot} {cameras} {teleop} {SOON} --dataset.repo_id=me/arm --dataset.num_episodes=1"
            " --dataset.single_task=Grab the cube --dataset.episode_time_s=2 --dataset.reset_time_s=0"
            " --dataset.fps=30 --dataset.push_to_hub=false",
        )
        (root,) = (tmp_path / "lerobot/me").iterdir()
        dataset = LeRobotDataset(f"me/{root.name}", root=root)
        assert dataset.meta.features["action"]["names"] == [f"{joint}.pos" for joint in JOINTS]
        assert np.asarray(dataset[len(dataset) - 1]["action"]) == pytest.approx(list(POSE.values()), abs=0.05)
        assert released(follower)
        run_command(tmp_path, f"lerobot-replay {robot} {SOON} --dataset.repo_id=me/{root.name} --dataset.episode=0")
        here = [follower.state(motor)["position"] for motor in POSE]
        assert here == pytest.approx(list(POSE.values()), abs=2.5)
        run_command(
            tmp_path,
            f"lerobot-train --dataset.repo_id=me/{root.name} --policy.type=act --output_dir=outputs"
            f" --policy.device=cpu --steps=2 --batch_size=2 --num_workers=0 {SMALL_ACT}",
        )
        run_command(
            tmp_path,
            f"lerobot-rollout --strategy.type=base {robot} {cameras} {SOON} --task=Grab the cube --duration=0.5"
            " --return_to_initial_position=false --policy.path=outputs/checkpoints/last/pretrained_model",
        )
        assert released(follower)
        assert all(follower.state(motor)["zero"] == 0 for motor in POSE), "no command but calibrate set a zero"
