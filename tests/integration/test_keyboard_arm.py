"""The virtual arm driven by keys in a terminal: by joints, by its end effector, and while its episodes are recorded."""

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset

BY_JOINTS = "[{type: keys_to_joints, step: 2.0}]"
BY_END = "[{type: ee_deltas_to_joints, kinematics: {urdf_path: so101}, heading_deg: 90}]"
LEFT, PAGE_UP = "\x1b[D", "\x1b[5~"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., pexpect.spawn]]:
    """Start `lerobot` in a terminal of its own."""
    started = []

    def run(*arguments: str) -> pexpect.spawn:
        environment = {**os.environ, "HF_LEROBOT_HOME": str(tmp_path)}
        command = ["-c", "from lerobot_cli import main; main()", *arguments]
        started.append(pexpect.spawn(sys.executable, command, env=environment, timeout=60, dimensions=(40, 200)))
        return started[-1]

    yield run
    for process in started:
        process.close(force=True)


def drive(run: Callable[..., pexpect.spawn], teleop: str, steps: str, keys: str) -> dict[str, tuple[float, float]]:
    """Hold keys for a moment; positions before and after by joint."""
    process = run(
        "teleoperate", "--robot.type=sim_so101", f"--teleop.type={teleop}", "--teleop.backend=terminal",
        f"--processors.teleop={steps}", "--fps=30", "--safety.ramp_s=0.1",
    )  # fmt: skip
    before = shown(process)
    process.send(keys)
    for _ in range(6):
        after = shown(process)
    process.kill(signal.SIGTERM)
    process.expect("ended by signal")
    return {joint: (before[joint], after[joint]) for joint in before}


def shown(process: pexpect.spawn) -> dict[str, float]:
    """Positions on the next status line."""
    process.expect(rb"Hz.*?ms  (shoulder_pan .*? gripper -?[\d.]+)")
    words = process.match[1].decode().split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


def test_keys_move_joints(run) -> None:
    moved = drive(run, "keyboard", BY_JOINTS, "2c")
    assert moved["shoulder_pan"][1] > moved["shoulder_pan"][0] + 5
    assert moved["gripper"][1] < moved["gripper"][0] - 5
    assert moved["elbow_flex"][1] == pytest.approx(moved["elbow_flex"][0], abs=3)


def test_keys_move_the_end_effector(run) -> None:
    """Up means up: shoulder and elbow move together, the gripper keeps its direction."""
    moved = drive(run, "keyboard_ee", BY_END, PAGE_UP * 3)
    change = {joint: after - before for joint, (before, after) in moved.items()}
    assert abs(change["shoulder_lift"]) + abs(change["elbow_flex"]) > 5
    assert change["shoulder_lift"] + change["elbow_flex"] + change["wrist_flex"] == pytest.approx(0, abs=4)
    assert change["shoulder_pan"] == pytest.approx(0, abs=2)


def record(run: Callable[..., pexpect.spawn]) -> pexpect.spawn:
    process = run(
        "record", "--robot.type=sim_so101", "--teleop.type=keyboard_ee", "--teleop.backend=terminal",
        f"--processors.teleop={BY_END}", "--dataset.repo_id=me/keys", "--dataset.no_stamp=true",
        "--dataset.single_task=Move", "--dataset.episode_time_s=60", "--dataset.reset_time_s=60",
        "--safety.ramp_s=0.1", "--play_sounds=false",
    )  # fmt: skip
    process.expect("Keys: n next, r record again, s success.*keyboard_ee has ← and →".encode())
    process.expect("Recording episode 0")
    process.expect("Episode 0 .*Hz")
    return process


def test_keys_drive_and_control_at_once(run, tmp_path: Path) -> None:
    process = record(run)
    process.send(LEFT * 3)
    process.expect(r"Episode 0 .* [1-9]\d*\.\d / 60 s")
    process.send("s")
    process.expect("Episode 0 saved: .* success, ended by success")
    process.send(LEFT + "n")
    process.expect("Recording episode 1")
    process.expect("Episode 1 .*Hz")
    process.send("q")
    process.expect("Episode 1 saved: .* unknown, ended by stop")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    dataset = LeRobotDataset("me/keys", root=tmp_path / "me/keys")
    assert dataset.num_episodes == 2
    first, last = dataset[0]["action"], dataset[dataset.num_frames - 1]["action"]
    assert abs(float(last[0] - first[0])) > 3, "the arm went to the left"


def test_the_terminal_is_usable_after_a_kill(run) -> None:
    process = record(run)
    assert not termios.tcgetattr(process.child_fd)[3] & termios.ICANON
    process.kill(signal.SIGKILL)
    process.wait()
    while not termios.tcgetattr(process.child_fd)[3] & termios.ICANON:  # pytest-timeout ends it
        time.sleep(0.01)
    assert termios.tcgetattr(process.child_fd)[3] & termios.ECHO
