"""The pages of arms, command by command, by somebody with two arms fresh from the box; see `desk`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import Desk

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.motors import load_calibration


@dataclass(frozen=True)
class Family:
    """A follower and a leader of one kind.

    Attributes:
        name: what their types begin with, and the virtual follower's name.
        virtual_leader: the virtual leader's name.
        full_turn: joints whose range is the whole turn.
        is_swept: whether calibrating asks for a sweep.
    """

    name: str
    virtual_leader: str
    full_turn: frozenset[str]
    is_swept: bool = True

    @property
    def follower(self) -> str:
        """Flags of the follower."""
        return f"--robot.type={self.name}_follower --robot.port=FOLLOWER_PORT --robot.id=my_follower"

    @property
    def leader(self) -> str:
        """Flags of the leader."""
        return f"--teleop.type={self.name}_leader --teleop.port=LEADER_PORT --teleop.id=my_leader"


JOINTS = frozenset({"shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"})
SO101 = Family("so101", "so101", frozenset({"wrist_roll"}))
KOCH = Family("koch", "koch_leader", frozenset({"shoulder_pan", "wrist_roll"}))
ALOHA = Family("aloha", "aloha_leader", frozenset({"waist", "forearm_roll", "wrist_rotate"}))
OMX = Family("omx", "omx_leader", JOINTS, is_swept=False)

SMALL_ACT = (
    "--policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2 --policy.n_encoder_layers=1"
    " --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
"""What makes the page's policy small enough for a test."""


@pytest.fixture
def desk(tmp_path: Path, family: Family) -> Iterator[Desk]:
    desk = Desk(tmp_path, family.name, family.virtual_leader)
    yield desk
    desk.leaves()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "family",
    [SO101, *(pytest.param(family, marks=pytest.mark.slow) for family in (KOCH, OMX, ALOHA))],
    ids=lambda family: family.name,
)
def test_from_the_box_to_a_policy(desk: Desk, family: Family) -> None:
    follower, leader = family.follower, family.leader
    desk.sets_up(f"lerobot-setup-motors {follower}", desk.follower)
    desk.sets_up(f"lerobot-setup-motors {leader}", desk.leader)
    for arm in (desk.follower, desk.leader):
        assert [arm.state(servo.id)["ID"] for servo in arm.spec.servos] == [servo.id for servo in arm.spec.servos]

    for line, arm in ((f"lerobot-calibrate {follower}", desk.follower), (f"lerobot-calibrate {leader}", desk.leader)):
        if family.is_swept:
            desk.calibrates(line, arm)
        else:
            desk.runs(line)
    for file, arm in (("follower", desk.follower), ("leader", desk.leader)):
        (path,) = (desk.folder / "calibration").rglob(f"my_{file}.json")
        for (name, entry), servo in zip(load_calibration(path).items(), arm.spec.servos, strict=True):
            travel = 4095 if name in family.full_turn else servo.stops[1] - servo.stops[0]
            assert entry.range_max - entry.range_min == pytest.approx(travel, abs=2), (path, name)

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
        f"lerobot-train --dataset.repo_id={name} --policy.type=act --output_dir=outputs/train/act_test"
        f" --job_name=act_test --policy.device=cpu --steps=1 --batch_size=2 --num_workers=0 {SMALL_ACT}"
    )
    desk.runs(
        f"lerobot-rollout --strategy.type=base {follower} {cameras} --task=Put lego brick into the box --duration=2"
        " --policy.path=outputs/train/act_test/checkpoints/last/pretrained_model"
    )
    for servo in desk.follower.spec.servos:
        assert desk.follower.state(servo.id)["Torque_Enable"] == 0, "the arm ends in its declared state"
