"""Programs written the way huggingface/lerobot's documentation shows them run here; see `programs`."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hub_stand_in import hub
from program_desk import Desk

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.so100.follower import SOFollower


def test_a_leader_drives_the_follower_through_the_gate(desk: Desk) -> None:
    desk.moves(desk.follower, 0.5)
    desk.moves(desk.leader, 0.6)
    ended = desk.runs("teleoperate")
    assert isinstance(ended["robot"], SOFollower)
    reached = desk.measures(desk.follower)
    assert reached == pytest.approx(dict.fromkeys(reached, 0.6), abs=0.02)
    # The program asked for the whole way at once; the ramp of the gate took its time.
    assert ended["first"]["shoulder_pan.pos"] == pytest.approx(0.0, abs=1.0)
    assert ended["action"]["shoulder_pan.pos"] == pytest.approx(ended["sent"]["shoulder_pan.pos"], abs=1.0)
    assert ended["action"]["shoulder_pan.pos"] == pytest.approx(22.1, abs=1.0)
    assert not any(desk.follower.state(servo.id)["Torque_Enable"] for servo in desk.follower.spec.servos)


FORGETFUL = """
from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig

robot = SO101Follower(SO101FollowerConfig(port={port!r}, id="black"))
robot.connect()
robot.send_action(robot.get_observation())
print(robot.bus.sync_read("Torque_Enable"))
{end}
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "raise RuntimeError('a mistake')",
        "raise KeyboardInterrupt",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM); signal.pause()",
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGHUP); signal.pause()", marks=pytest.mark.slow),
    ],
)
def test_a_program_that_forgets_to_disconnect_leaves_the_arm_safe(desk: Desk, end: str) -> None:
    program = FORGETFUL.format(port=desk.follower.port, end=end)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert "'gripper': 1" in done.stdout
    assert bool(done.returncode) == bool(end)
    assert not any(desk.follower.state(servo.id)["Torque_Enable"] for servo in desk.follower.spec.servos)


def test_what_is_recorded_is_read_streamed_learned_and_acted_on(desk: Desk) -> None:
    desk.moves(desk.follower, 0.5)
    desk.moves(desk.leader, 0.5)
    desk.runs("record")
    dataset = LeRobotDataset("me/cubes")
    assert (dataset.num_episodes, dataset.meta.robot_type) == (2, "so_follower")
    assert dataset.num_frames > 2
    assert list(dataset.meta.tasks) == ["Put the cube into the bin"]
    desk.runs("read_dataset")
    desk.runs("stream_dataset")
    losses = desk.runs("train")["losses"]
    assert len(losses) == 3
    assert np.isfinite(losses).all()
    assert isinstance(desk.runs("run_policy")["model"], PreTrainedPolicy)
    _is_pushed(desk)


def _is_pushed(desk: Desk) -> None:
    """What was recorded and learned goes to the Hub, which here is a server of this computer's."""
    with hub() as (address, held):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_HUB")}
        environment = {
            **kept,
            "HF_ENDPOINT": address,
            "HF_HOME": str(desk.folder / "hf_home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": "hf_test",
            "no_proxy": "127.0.0.1",
        }
        program = [sys.executable, str(desk.file("push"))]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
    assert {"README.md", "meta/info.json", "meta/stats.json"} <= held.files["datasets/me/cubes"].keys()
    assert held.tags["datasets/me/cubes"] == ["v3.0"]
    assert {"config.json", "model.safetensors"} <= held.files["models/me/act_cubes"].keys()


def test_a_policy_is_evaluated(desk: Desk) -> None:
    results = desk.runs("evaluate")["results"]
    assert [row["seed"] for row in results["per_episode"]] == [1000, 1001, 1002, 1003]
    assert all(row["sum_reward"] >= row["max_reward"] >= 0 for row in results["per_episode"])
    assert any(row["sum_reward"] for row in results["per_episode"])
    assert results["aggregated"]["pc_success"] == 0.0


def test_a_leader_drives_the_end_effector(desk: Desk) -> None:
    desk.moves(desk.follower, 0.5)
    desk.moves(desk.leader, 0.52)
    ended = desk.runs("end_effector")
    asked, commanded = ended["leader_joints_obs"], ended["joints_action"]
    assert commanded == pytest.approx(asked, abs=2.0)
    poses = LeRobotDataset("me/poses")
    assert poses.meta.names["action"] == ["ee.x", "ee.y", "ee.z", "ee.wx", "ee.wy", "ee.wz", "ee.gripper_pos"]
    assert poses.num_frames == 30
