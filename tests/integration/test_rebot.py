"""reBot arms through the commands: led, recorded, replayed, learned from and driven by the policy, on virtual arms."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from arm_commands import CAMERA, SMALL_ACT, SOON, released, run_command

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_yaw", "wrist_roll", "gripper")
RANGES = ((-150, 150), (-200, 1), (-200, 1), (-80, 90), (-90, 90), (-90, 90), (-270, 0))
POSE = {0: -10.0, 1: 8.0, 2: -12.0, 3: 5.0, 4: -6.0, 5: 4.0, 6: 3.0}
"""Where the servos of a leader are put, degrees; of the follower's joints, 10, -8, -12, 5, -6, -4 and -18."""
LED = (10.0, -8.0, -12.0, 5.0, -6.0, -4.0, -18.0)


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[Callable[[str], VirtualBus]]:
    """Starts virtual arms by name; calibrations of single ones and of pairs, called me, are there."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(VirtualBus(ARMS[name]))


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], str]:
    """Runs a command line in a folder of its own, with the calibrations of arms called me."""
    for role, first in (("robots/rebot_b601_follower", 1), ("teleoperators/rebot_102_leader", 0)):
        entries = {
            joint: MotorCalibration(number, 0, 0, *ends)
            for number, (joint, ends) in enumerate(zip(JOINTS, RANGES, strict=True), first)
        }
        for name in ("me", "me_left", "me_right"):
            save_calibration(tmp_path / "calibration" / role / f"{name}.json", entries)
    return partial(run_command, tmp_path)


@pytest.mark.timeout(300)
def test_two_leaders_lead_two_followers(arm: Callable[[str], VirtualBus], run: Callable[[str], str]) -> None:
    """The command line of the page of huggingface/lerobot, but for ports, ids and how long it lasts."""
    left, right = arm("rebot_b601"), arm("rebot_b601")
    left_leader, right_leader = arm("rebot_102"), arm("rebot_102")
    left_leader.move(POSE)
    run(
        "lerobot-teleoperate --robot.type=bi_rebot_b601_follower --robot.id=me"
        f" --robot.left_arm_config.port={left.port} --robot.left_arm_config.can_adapter=damiao"
        f" --robot.right_arm_config.port={right.port} --robot.right_arm_config.can_adapter=damiao"
        f" --teleop.type=bi_rebot_102_leader --teleop.id=me --teleop.left_arm_config.port={left_leader.port}"
        f" --teleop.right_arm_config.port={right_leader.port} --fps=30 --teleop_time_s=2 {SOON}"
    )
    here = [left.state(motor)["position"] for motor in range(1, 8)]
    assert here == pytest.approx(LED, abs=2.5)
    assert [right.state(motor)["position"] for motor in range(1, 8)] == pytest.approx([0] * 7, abs=1)
    assert released(left)
    assert released(right)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_leading_to_a_policy_that_drives(
    arm: Callable[[str], VirtualBus], run: Callable[[str], str], tmp_path: Path
) -> None:
    follower, leader = arm("rebot_b601"), arm("rebot_102")
    leader.move(POSE)
    robot = f"--robot.type=rebot_b601_follower --robot.port={follower.port} --robot.id=me"
    cameras = f"--robot.cameras={CAMERA}"
    teleop = f"--teleop.type=rebot_102_leader --teleop.port={leader.port} --teleop.id=me"
    run(
        f"lerobot-record {robot} {cameras} {teleop} {SOON} --dataset.repo_id=me/arm --dataset.num_episodes=1"
        " --dataset.single_task=Grab the cube --dataset.episode_time_s=2 --dataset.reset_time_s=0"
        " --dataset.fps=30 --dataset.push_to_hub=false"
    )
    (root,) = (tmp_path / "lerobot/me").iterdir()
    dataset = LeRobotDataset(f"me/{root.name}", root=root)
    assert dataset.meta.features["action"]["names"] == [f"{joint}.pos" for joint in JOINTS]
    assert np.asarray(dataset[len(dataset) - 1]["action"]) == pytest.approx(LED, abs=0.05)
    follower.power(False)
    follower.power(True)
    run(f"lerobot-replay {robot} {SOON} --dataset.repo_id=me/{root.name} --dataset.episode=0")
    assert [follower.state(motor)["position"] for motor in range(1, 8)] == pytest.approx(LED, abs=2.5)
    run(
        f"lerobot-train --dataset.repo_id=me/{root.name} --policy.type=act --output_dir=outputs --policy.device=cpu"
        f" --steps=2 --batch_size=2 --num_workers=0 {SMALL_ACT}"
    )
    run(
        f"lerobot-rollout --strategy.type=base {robot} {cameras} {SOON} --task=Grab the cube --duration=0.5"
        " --return_to_initial_position=false --policy.path=outputs/checkpoints/last/pretrained_model"
    )
    assert released(follower)
