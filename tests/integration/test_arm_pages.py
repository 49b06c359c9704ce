"""The pages of robots, command by command, by somebody who has just opened the boxes; see `desk`.

One robot walks in every run, the others in `nox -s slow`. What the pages wait for is cut short: how long somebody
drives and records, and how softly the robot engages.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from desk import Desk

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.motors import load_calibration
from lerobot.motors.virtual import Printer, VirtualBus
from lerobot.motors.virtual.line_spec import WHOLE_TURN


@dataclass(frozen=True)
class Family:
    """A robot and what leads it.

    Attributes:
        robot: type of the robot, and flags of its kind.
        leader: type of what leads it, and flags of its kind.
        virtual: the virtual arms of both; how many integers a line has of something that is worn.
        full_turn: joints whose range is the whole turn.
        is_swept: whether calibrating asks for a sweep.
        is_served: whether the robot is driven by another computer than its own, with keys beside the leader.
    """

    robot: str
    leader: str
    virtual: tuple[str, str | int]
    full_turn: frozenset[str] = frozenset()
    is_swept: bool = True
    is_served: bool = False

    @property
    def name(self) -> str:
        """The virtual arm of the robot."""
        return self.virtual[0]


JOINTS = frozenset({"shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"})
WHEELS = frozenset({"base_left_wheel", "base_back_wheel", "base_right_wheel"})

SO101 = Family("so101_follower", "so101_leader", ("so101", "so101"), frozenset({"wrist_roll"}))
FURTHER = (
    Family("koch_follower", "koch_leader", ("koch", "koch_leader"), frozenset({"shoulder_pan", "wrist_roll"})),
    Family("omx_follower", "omx_leader", ("omx", "omx_leader"), JOINTS, is_swept=False),
    Family(
        "aloha_follower",
        "aloha_leader",
        ("aloha", "aloha_leader"),
        frozenset({"waist", "forearm_roll", "wrist_rotate"}),
    ),
    Family("hope_jr_arm", "homunculus_arm", ("hope_jr_arm", 21)),
    Family("hope_jr_hand --robot.side=right", "homunculus_glove --teleop.side=right", ("hope_jr_hand", 16)),
    Family(
        "lekiwi --robot.cameras={}",
        "so101_leader",
        ("lekiwi", "so101"),
        WHEELS | {"arm_wrist_roll", "wrist_roll"},
        is_served=True,
    ),
)

ROBOT = "--robot.port=FOLLOWER_PORT --robot.id=my_follower"
LEADER = "--teleop.port=LEADER_PORT --teleop.id=my_leader"
CAMERAS = "--robot.cameras={ front: {type: opencv, index_or_path: CAMERA, width: 160, height: 120, fps: 30}}"
SOON = "--safety.ramp_s=0.2"
SMALL_ACT = (
    "--policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2 --policy.n_encoder_layers=1"
    " --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
"""What makes the page's policy small enough for a test."""


@pytest.fixture
def desk(tmp_path: Path, family: Family) -> Iterator[Desk]:
    desk = Desk(tmp_path, *family.virtual)
    yield desk
    desk.leaves()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "family", [SO101, *(pytest.param(family, marks=pytest.mark.slow) for family in FURTHER)], ids=lambda each: each.name
)
def test_from_the_box_to_a_policy(desk: Desk, family: Family) -> None:
    robot, leader = f"--robot.type={family.robot} {ROBOT}", f"--teleop.type={family.leader} {LEADER}"
    with ThreadPoolExecutor() as hands:
        list(hands.map(partial(from_the_box, desk, family), (robot, leader), (desk.follower, desk.leader)))

    cameras = CAMERAS
    if family.is_served:
        desk.serves(f"lerobot-serve {robot.replace('--robot.cameras={}', CAMERAS)} --port=0")
        robot, cameras = "--robot.type=lekiwi_client --robot.remote_ip=127.0.0.1 --robot.port=HOST_PORT", ""
        leader = "--teleop.type=lekiwi_leader --teleop.arm={ type: so101_leader, port: LEADER_PORT, id: my_leader}"
    drives(desk, robot, leader, cameras)
    desk.serves_no_more()
    for servo in desk.follower.spec.servos:
        assert desk.follower.state(servo.id)["Torque_Enable"] == 0, "the robot ends in its declared state"


def from_the_box(desk: Desk, family: Family, flags: str, device: VirtualBus | Printer) -> None:
    """Give new motors their ids, and calibrate."""
    if isinstance(device, VirtualBus):
        desk.sets_up(f"lerobot-setup-motors {flags}", device)
        assert [device.state(servo.id)["ID"] for servo in device.spec.servos] == [s.id for s in device.spec.servos]
    if family.is_swept:
        desk.calibrates(f"lerobot-calibrate {flags}", device)
    else:
        desk.runs(f"lerobot-calibrate {flags}")
    (path,) = (desk.folder / "calibration").rglob(f"{flags.rpartition('=')[2]}.json")
    for joint, (name, entry) in enumerate(load_calibration(path).items()):
        expected = WHOLE_TURN if name in family.full_turn else desk.travel_of(device, joint)
        assert entry.range_max - entry.range_min == pytest.approx(expected, abs=2), (path, name)


def drives(desk: Desk, robot: str, leader: str, cameras: str) -> None:
    """Drive, record, replay, train, and let the policy drive."""
    desk.runs(f"lerobot-teleoperate {robot} {leader} {cameras} {SOON} --teleop_time_s=0.5")
    shown = desk.runs(
        f"lerobot-record {robot} {leader} {cameras} {SOON} --dataset.repo_id=me/record-test --dataset.num_episodes=2"
        " --dataset.single_task=Grab the black cube --dataset.streaming_encoding=true --dataset.encoder_threads=2"
        " --dataset.episode_time_s=0.5 --dataset.reset_time_s=0 --dataset.push_to_hub=false"
    )
    (root,) = (desk.folder / "lerobot/me").iterdir()
    name = f"me/{root.name}"  # The command adds the time to the name, as the peer's does, and prints it.
    assert name in shown
    dataset = LeRobotDataset(name, root=root)
    assert dataset.num_episodes == 2
    assert set(dataset[0]) >= {"action", "observation.state", "observation.images.front"}
    assert dataset[0]["task"] == "Grab the black cube"
    desk.runs(f"lerobot-replay {robot} {SOON} --dataset.repo_id={name} --dataset.episode=0")

    desk.runs(
        f"lerobot-train --dataset.repo_id={name} --policy.type=act --output_dir=outputs/train/act_test"
        f" --job_name=act_test --policy.device=cpu --steps=2 --batch_size=2 --num_workers=0 {SMALL_ACT}"
    )
    desk.runs(
        f"lerobot-rollout --strategy.type=base {robot} {cameras} {SOON} --task=Put lego brick into the box"
        " --duration=0.5 --return_to_initial_position=false"
        " --policy.path=outputs/train/act_test/checkpoints/last/pretrained_model"
    )
