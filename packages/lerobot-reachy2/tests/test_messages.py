"""The messages of a recorded session of the vendor's SDK under huggingface/lerobot, and what else may come."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict
from reachy2_sdk_api import arm_pb2, head_pb2, part_pb2, reachy_pb2
from reachy2_sdk_api import mobile_base_mobility_pb2 as mobility_pb2
from reachy2_sdk_api import mobile_base_utility_pb2 as utility_pb2

from lerobot.reachy2.body import limits, positions
from lerobot.reachy2.joints import PARTS
from lerobot.reachy2.robot import Reachy2
from lerobot.reachy2.virtual import DESCRIPTION, VirtualReachy
from lerobot.remote.wire.errors import WireError

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)
JOINTS = [joint for joints in PARTS.values() for joint in joints]
MESSAGES = {
    "SetZuuuMode": utility_pb2.ZuuuModeCommand,
    "SendDirection": mobility_pb2.TargetDirectionCommand,
    "SendComponentsCommands": reachy_pb2.ReachyComponentsCommands,
    "TurnOn": part_pb2.PartId,
    "GetReachy": Empty,
}
ACTION = {
    "r_shoulder_pitch.pos": 10.0,
    "r_elbow_pitch.pos": -30.0,
    "r_wrist_yaw.pos": 5.0,
    "r_gripper.pos": 40.0,
    "neck_yaw.pos": 7.0,
    "l_antenna.pos": 12.0,
    "mobile_base.vx": 0.1,
    "mobile_base.vy": 0.0,
    "mobile_base.vtheta": 20.0,
}
"""What was sent in the recorded session."""


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = SHARED / "data/golden/hardware/reachy2" if SHARED else None
    if folder is None or not folder.is_dir():
        pytest.skip("../shared, with the recorded session, is absent")
    return folder


def recorded(golden: Path) -> list[tuple[str, Any]]:
    """Questions to the robot's server, in order; those to its cameras are left out."""
    calls = [json.loads(line) for line in (golden / "requests.jsonl").read_text().splitlines()]
    found = []
    for call in calls:
        service, method = call["method"].lstrip("/").split("/")
        if "video" in service:
            continue
        kind = MESSAGES.get(method) or getattr(head_pb2 if "head" in service else arm_pb2, method[3:] + "Request")
        message = kind.FromString(bytes.fromhex(call["wire"]))
        assert message == ParseDict(call["request"], kind())
        found.append((method, without_empty_parts(message)))
    return found


def without_empty_parts(message: Any) -> Any:
    """The vendor's SDK names arms that it tells nothing."""
    for field, value in message.ListFields():
        if (
            field.message_type is not None
            and not field.is_repeated
            and not value.ByteSize()
            and "commands" in field.name
        ):
            message.ClearField(field.name)
    return message


def test_a_session_asks_what_the_recorded_one_asks(
    golden: Path, reachy: VirtualReachy, built: Callable[..., Reachy2]
) -> None:
    with built(reachy) as robot:
        robot.send_action(ACTION)
        asked = list(reachy.asked)
    poses = [i for i, (method, _) in enumerate(asked) if method == "SendComponentsCommands"]
    assert len(poses) == 2
    # Ours tells the joints to stay where they are once they are switched on, before their speed is let go.
    assert [method for method, _ in asked[poses[0] - 1 : poses[0] + 2]] == [
        "TurnOn",
        "SendComponentsCommands",
        "SetSpeedLimit",
    ]
    del asked[poses[0]]
    expected = recorded(golden)
    assert [method for method, _ in asked] == [method for method, _ in expected]
    for (method, ours), (_, theirs) in zip(asked, expected, strict=True):
        assert without_empty_parts(ours).SerializeToString() == theirs.SerializeToString(), method


def test_the_virtual_robot_is_made_of_what_the_recorded_one_was(golden: Path) -> None:
    theirs = ParseDict(json.loads((golden / "reachy.json").read_text()), reachy_pb2.Reachy())
    assert ParseDict(DESCRIPTION, reachy_pb2.Reachy()) == theirs


@pytest.fixture
def state(golden: Path) -> Any:
    return ParseDict(json.loads((golden / "state.json").read_text()), reachy_pb2.ReachyState())


def test_positions_are_those_that_the_sdk_gives(golden: Path, state: Any) -> None:
    """The SDK's were read before the recorded state, with the right arm elsewhere; the rest stood still."""
    ours = dict(positions(state, JOINTS, "present"))
    sdk = json.loads((golden / "values.json").read_text())["sdk_degrees"]
    expected = {f"neck_{axis}.pos": sdk[f"head.neck.{axis}"] for axis in ("yaw", "pitch", "roll")}
    expected |= {"l_antenna.pos": sdk["head.l_antenna"]}
    expected |= {f"{side}_gripper.pos": sdk[f"{side}_arm.gripper"] for side in "lr"}
    assert {key: ours[key] for key in expected} == pytest.approx(expected, abs=1e-3)
    wire = json.loads((golden / "values.json").read_text())["wire_radians"]
    arm = {f"wrist_{axis}": f"wrist.{axis[0]}" for axis in ("roll", "pitch", "yaw")}
    arm |= {"shoulder_pitch": "shoulder.1", "shoulder_roll": "shoulder.2"}
    arm |= {"elbow_yaw": "elbow.1", "elbow_pitch": "elbow.2"}
    radians = {f"{side}_{name}.pos": wire[f"{side}_arm.{theirs}"] for side in "lr" for name, theirs in arm.items()}
    expected = {key: math.degrees(value) for key, value in radians.items()}
    assert {key: ours[key] for key in expected} == pytest.approx(expected, abs=1e-4)
    assert dict(positions(state, JOINTS, "goal")) == pytest.approx(ours, abs=1e-4)


def test_the_robots_own_limits_are_read(state: Any) -> None:
    ends = dict(limits(state, JOINTS))
    assert set(ends) == {joint.key for joint in JOINTS} - {"l_gripper.pos", "r_gripper.pos"}, "hands say none"
    assert set(ends.values()) == {(math.degrees(-3.0), math.degrees(3.0))}


def test_a_position_that_is_none_is_named(state: Any) -> None:
    state.r_arm_state.elbow_state.present_position.axis_2.value = math.nan
    with pytest.raises(WireError, match=r"r_elbow_pitch\.pos has no present position"):
        dict(positions(state, JOINTS, "present"))
    state.ClearField("head_state")
    with pytest.raises(WireError, match=r"neck_yaw\.pos has no goal position"):
        dict(positions(state, JOINTS, "goal"))


def test_limits_that_are_none_limit_nothing(state: Any) -> None:
    wrist = state.l_arm_state.wrist_state.joint_limits
    wrist.roll.min.value = math.nan
    wrist.pitch.min.value = 4.0
    wrist.yaw.ClearField("max")
    assert not {"l_wrist_roll.pos", "l_wrist_pitch.pos", "l_wrist_yaw.pos"} & set(dict(limits(state, JOINTS)))
