"""The SO-100 and SO-101 pages of huggingface/lerobot, command by command, by somebody with two arms fresh from the box.

The arms are virtual servos on pseudo-terminals, the camera is a video file; the commands are processes in a terminal,
as their pages have them, but for ports, camera, names and how long they last.
"""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pexpect
import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.motors import load_calibration
from lerobot.motors.virtual import ARMS, Fault, LineSpec, VirtualBus

START_TIMEOUT_S = 120
FULL_TURN = {"wrist_roll"}
SMALL_ACT = (
    "--policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2 --policy.n_encoder_layers=1"
    " --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
"""What makes the page's policy small enough for a test."""


class Desk:
    """Somebody's desk: two boxes of new motors, a camera, a terminal.

    Attributes:
        follower: the arm that is driven, its six motors all with the id they left the factory with.
        leader: the arm that is moved by hand.
        camera: a video file of 30 frames/s.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = _new(ARMS["so101"])
        self.follower, self.leader = VirtualBus(self.spec), VirtualBus(self.spec)
        self.camera = folder / "camera.mp4"
        _film(self.camera)
        self._environment = {
            **os.environ,
            "HF_LEROBOT_HOME": str(folder / "lerobot"),
            "HF_LEROBOT_CALIBRATION": str(folder / "calibration"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }

    def types(self, line: str) -> "pexpect.spawn[str]":
        """Type a command line; what the pages leave open is filled in."""
        line = line.replace("FOLLOWER_PORT", self.follower.port).replace("LEADER_PORT", self.leader.port)
        command, *arguments = line.replace("CAMERA", str(self.camera)).split(" --")
        program = shutil.which(command)
        assert program, command
        return pexpect.spawn(
            program,
            [f"--{argument.strip()}" for argument in arguments],
            env=self._environment,
            cwd=str(self.folder),
            encoding="utf-8",
            timeout=START_TIMEOUT_S,
            dimensions=(40, 200),
        )

    def runs(self, line: str) -> str:
        """Type a command line and wait for its good end; returns what was on the screen."""
        return _ended(self.types(line))

    def sets_up(self, line: str, arm: VirtualBus) -> None:
        """Connect one motor after the other, as the command asks for them."""
        for servo in self.spec.servos:
            arm.fault(servo.id, Fault.MISSING)
        terminal = self.types(line)
        for servo, name in reversed(list(zip(self.spec.servos, self.spec.names, strict=True))):
            terminal.expect_exact(f"Connect the controller board to the '{name}' motor only and press enter.")
            for other in self.spec.servos:
                if other is not servo:
                    arm.fault(other.id, Fault.MISSING)
            arm.mend(servo.id)
            terminal.sendline()
        _ended(terminal)
        for servo in self.spec.servos:
            arm.mend(servo.id)

    def calibrates(self, line: str, arm: VirtualBus) -> None:
        """Sweep every joint from stop to stop while the command looks."""
        terminal = self.types(line)
        terminal.expect_exact("to the middle of its range of motion and press ENTER")
        terminal.sendline()
        terminal.expect_exact("Press ENTER to stop")
        for tenth in (*range(5, 11), *range(10, -1, -1), *range(6)):
            _watch(terminal, 0.15)
            arm.move({s.id: s.stops[0] + tenth / 10 * (s.stops[1] - s.stops[0]) for s in self.spec.servos if s.stops})
        _watch(terminal, 0.3)
        terminal.sendline()
        _ended(terminal)

    def leaves(self) -> None:
        self.follower.close()
        self.leader.close()


def _new(arm: LineSpec) -> LineSpec:
    return replace(arm, servos=tuple(replace(servo, registers={"ID": 1}) for servo in arm.servos))


def _film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(60):
            picture = np.full((480, 640, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _watch(terminal: "pexpect.spawn[str]", seconds: float) -> None:
    """Read the screen for a while: a terminal nobody reads stops the program."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.expect(["\n", pexpect.TIMEOUT], timeout=0.05)


def _ended(terminal: "pexpect.spawn[str]") -> str:
    terminal.expect(pexpect.EOF)
    terminal.close()
    shown = str(terminal.before)
    assert terminal.exitstatus == 0, shown
    assert "Traceback" not in shown
    return shown


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.leaves()


@pytest.mark.timeout(900)
def test_from_the_box_to_a_policy(desk: Desk) -> None:
    desk.sets_up("lerobot-setup-motors --robot.type=so101_follower --robot.port=FOLLOWER_PORT", desk.follower)
    desk.sets_up("lerobot-setup-motors --teleop.type=so101_leader --teleop.port=LEADER_PORT", desk.leader)
    for arm in (desk.follower, desk.leader):
        assert [arm.state(servo.id)["ID"] for servo in desk.spec.servos] == [1, 2, 3, 4, 5, 6]

    follower = "--robot.type=so101_follower --robot.port=FOLLOWER_PORT --robot.id=my_follower"
    leader = "--teleop.type=so101_leader --teleop.port=LEADER_PORT --teleop.id=my_leader"
    desk.calibrates(f"lerobot-calibrate {follower}", desk.follower)
    desk.calibrates(f"lerobot-calibrate {leader}", desk.leader)
    for file in (desk.folder / "calibration").rglob("my_*.json"):
        for (name, entry), servo in zip(load_calibration(file).items(), desk.spec.servos, strict=True):
            travel = 4095 if name in FULL_TURN else servo.stops[1] - servo.stops[0]
            assert entry.range_max - entry.range_min == pytest.approx(travel, abs=2), (file, name)

    cameras = "--robot.cameras={ front: {type: opencv, index_or_path: CAMERA, width: 640, height: 480, fps: 30}}"
    desk.runs(f"lerobot-teleoperate {follower} {leader} {cameras} --teleop_time_s=2")
    shown = desk.runs(
        f"lerobot-record {follower} {leader} {cameras} --dataset.repo_id=me/record-test --dataset.num_episodes=2"
        " --dataset.single_task=Grab the black cube --dataset.streaming_encoding=true --dataset.encoder_threads=2"
        " --dataset.episode_time_s=2 --dataset.reset_time_s=0 --dataset.push_to_hub=false"
    )
    (root,) = (desk.folder / "lerobot/me").iterdir()
    name = f"me/{root.name}"  # The command adds the time to the name, as the peer's does, and prints it.
    assert name in shown
    dataset = LeRobotDataset(name, root=root)
    assert dataset.num_episodes == 2
    assert set(dataset[0]) >= {"action", "observation.state", "observation.images.front"}
    assert dataset[0]["task"] == "Grab the black cube"
    desk.runs(f"lerobot-replay {follower} --dataset.repo_id={name} --dataset.episode=0")

    desk.runs(
        f"lerobot-train --dataset.repo_id={name} --policy.type=act --output_dir=outputs/train/act_so101_test"
        f" --job_name=act_so101_test --policy.device=cpu --steps=1 --batch_size=2 --num_workers=0 {SMALL_ACT}"
    )
    desk.runs(
        f"lerobot-rollout --strategy.type=base {follower} {cameras} --task=Put lego brick into the box --duration=2"
        " --policy.path=outputs/train/act_so101_test/checkpoints/last/pretrained_model"
    )
    for servo in desk.spec.servos:
        assert desk.follower.state(servo.id)["Torque_Enable"] == 0, "the arm ends in its declared state"
