"""What is particular to OpenArms: recorded frames and values, zeros that stay, gains and limits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.can import Frame
from lerobot.can.damiao.protocol import Damiao
from lerobot.core.errors import CalibrationError, DeviceConnectionError
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import load_calibration
from lerobot.motors.virtual import VirtualBus
from lerobot.openarm.bimanual import BiOpenArmFollower
from lerobot.openarm.config import (
    BiOpenArmFollowerConfig,
    OpenArmFollowerConfig,
    OpenArmFollowerFields,
    OpenArmLeaderConfig,
    OpenArmMiniConfig,
)
from lerobot.openarm.follower import OpenArmFollower
from lerobot.openarm.leader import OpenArmLeader
from lerobot.openarm.mini import OpenArmMini

Start = Callable[..., VirtualBus]
IDS = range(1, 9)
ENABLE, DISABLE, SET_ZERO = (b"\xff" * 7 + bytes([code]) for code in (0xFC, 0xFD, 0xFE))
ZERO = bytes.fromhex("7fff7ff7ff1e1f")
STEP_DEG = 0.0219

MOTORS = {
    "joint_1": (1, 17, "dm8009"),
    "joint_2": (2, 18, "dm8009"),
    "joint_3": (3, 19, "dm4340"),
    "joint_4": (4, 20, "dm4340"),
    "joint_5": (5, 21, "dm4310"),
    "joint_6": (6, 22, "dm4310"),
    "joint_7": (7, 23, "dm4310"),
    "gripper": (8, 24, "dm4310"),
}
CAN_DEFAULTS = {
    "can_interface": "socketcan",
    "use_can_fd": True,
    "can_bitrate": 1_000_000,
    "can_data_bitrate": 5_000_000,
    "motor_config": MOTORS,
    "use_velocity_and_torque": False,
    "id": None,
    "calibration_dir": None,
}
FOLLOWER_DEFAULTS = {
    **CAN_DEFAULTS,
    "side": None,
    "position_kp": [240.0, 240.0, 240.0, 240.0, 24.0, 31.0, 25.0, 25.0],
    "position_kd": [5.0, 5.0, 3.0, 5.0, 0.3, 0.3, 0.3, 0.3],
    "joint_limits": {
        **{f"joint_{i}": (-5.0, 5.0) for i in (1, 2, 3, 5, 6, 7)},
        "joint_4": (0.0, 5.0),
        "gripper": (-5.0, 0.0),
    },
    "disable_torque_on_disconnect": True,
    "max_relative_target": None,
    "cameras": {},
}
LEADER_DEFAULTS = {
    **CAN_DEFAULTS,
    "position_kp": [240.0, 240.0, 240.0, 240.0, 24.0, 31.0, 25.0, 16.0],
    "position_kd": [3.0, 3.0, 3.0, 3.0, 0.2, 0.2, 0.2, 0.2],
    "manual_control": True,
}
MINI_DEFAULTS = {"side": None, "use_degrees": True, "id": None, "calibration_dir": None}


@pytest.fixture
def line(start: Start) -> VirtualBus:
    return start("openarm")


@pytest.fixture
def config(line: VirtualBus, calibrations: Path) -> OpenArmFollowerConfig:
    return OpenArmFollowerConfig(
        port=line.port, can_interface="slcan", side="right", id="black", calibration_dir=calibrations
    )


def sent(line: VirtualBus) -> list[tuple[int, bytes]]:
    return [(int.from_bytes(packet[:2], "big"), packet[2:]) for packet in line.packets()]


@pytest.mark.parametrize(
    ("kind", "name", "defaults"),
    [
        ("robot", "openarm_follower", FOLLOWER_DEFAULTS),
        ("teleoperator", "openarm_leader", LEADER_DEFAULTS),
        ("teleoperator", "openarm_mini", MINI_DEFAULTS),
    ],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="can0")
    assert config.model_dump(exclude={"type", "port"}) == defaults


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"position_kd": [12.0] + [1.0] * 7}, "less than or equal to 5"),
        ({"position_kp": [600.0] + [1.0] * 7}, "less than or equal to 500"),
        ({"position_kp": [1.0] * 7}, "8 numbers, one for each joint"),
        ({"joint_limits": {"joint_1": [0, 1]}}, "joint_limits of the joints joint_1, "),
        ({"side": "both"}, "'left' or 'right'"),
    ],
)
def test_what_no_motor_could_be_told_is_refused_at_once(fields: dict[str, Any], expected: str) -> None:
    """The peer sends a damping of 12 as 5 and tells nobody."""
    with pytest.raises(ValidationError, match=expected):
        OpenArmFollowerConfig(port="can0", **fields)


def test_an_action_goes_out_as_recorded(
    line: VirtualBus, config: OpenArmFollowerConfig, captured: Callable[[str], Any]
) -> None:
    values = captured("follower_right_values.json")
    recorded = {
        (each["id"], bytes.fromhex(each["data"]))
        for each in captured("follower_right_session.jsonl")
        if each.get("dir") == "host"
    }
    with OpenArmFollower(config) as arm:
        line.packets()
        assert arm.send_action(values["action"]) == values["sent"]
        frames = sent(line)
        assert len(frames) == 8
        assert set(frames) <= recorded
        arm.get_observation()
        questions = sent(line)
        assert set(questions) <= recorded
    assert [frame for frame in sent(line) if frame[1] == DISABLE] == [(i, DISABLE) for i in IDS]


def test_observations_have_the_recorded_values(
    line: VirtualBus, config: OpenArmFollowerConfig, captured: Callable[[str], Any]
) -> None:
    values = captured("follower_right_values.json")
    with OpenArmFollower(config.model_copy(update={"use_velocity_and_torque": True})) as arm:
        assert set(arm.get_observation()) == set(values["observation_at_zero"])
        assert set(arm.action_features) == set(values["observation_at_zero"])
    protocol, read = Damiao(), {}
    arm = OpenArmFollower(config)
    for after in ("observation_at_zero", "observation_after"):
        for name, motor in arm.bus.motors.items():
            data = ZERO
            if after == "observation_after":
                replies = [
                    bytes.fromhex(each["data"])[1:]
                    for each in captured("follower_right_session.jsonl")
                    if each.get("dir") == "motor" and each["id"] == motor.reply_id
                ]
                data = next(reply for reply in reversed(replies) if reply != ZERO)
            state = protocol.state(motor, Frame(motor.reply_id, bytes([motor.id | 0x10]) + data))
            assert state is not None
            read[f"{name}.pos"] = state.position * 57.29577951308232
        expected = {key: value for key, value in values[after].items() if key.endswith(".pos")}
        assert read == pytest.approx(expected, abs=1e-9)


def test_a_start_sets_no_zero_and_keeps_the_pose(line: VirtualBus, config: OpenArmFollowerConfig) -> None:
    """The peer's leader takes the pose it is switched on in for its zero, at every start."""
    line.move({4: 60.0, 2: 15.0})
    for role in ("follower", "leader"):
        fields = {"port": line.port, "can_interface": "slcan", "id": "black", "calibration_dir": config.calibration_dir}
        device: Any = OpenArmFollower(config) if role == "follower" else OpenArmLeader(OpenArmLeaderConfig(**fields))
        with device:
            measured = device.measure()
            assert (measured["joint_4.pos"], measured["joint_2.pos"]) == pytest.approx((60.0, 15.0), abs=0.5)
        assert not [frame for frame in sent(line) if frame[1] == SET_ZERO]
        assert all(line.state(i)["zero"] == 0 for i in IDS)


def test_a_handshake_gives_no_torque(line: VirtualBus, config: OpenArmFollowerConfig) -> None:
    """The peer switches every motor on to see whether it is there."""
    arm = OpenArmFollower(config)
    arm.bus.connect()
    assert not [frame for frame in sent(line) if frame[1] == ENABLE]
    arm.bus.disconnect(disable_torque=False)


def test_a_zero_is_set_when_it_is_asked_for(line: VirtualBus, tmp_path: Path) -> None:
    line.move({1: 12.0, 4: 30.0})
    someone = ScriptedPrompter()
    arm = OpenArmFollower(
        OpenArmFollowerConfig(port=line.port, can_interface="slcan", side="left", id="new", calibration_dir=tmp_path),
        prompter=someone,
    )
    arm.connect()
    assert len(someone.asked) == 1
    assert "hanging straight down, gripper closed" in someone.asked[0]
    assert arm.get_observation()["joint_4.pos"] == pytest.approx(0, abs=0.5)
    arm.disconnect()
    assert [line.state(i)["zero"] for i in (1, 4)] == pytest.approx([12.0, 30.0], abs=STEP_DEG)


def test_the_calibration_file_is_the_recorded_one(
    line: VirtualBus, tmp_path: Path, captured: Callable[[str], Any]
) -> None:
    config = OpenArmFollowerConfig(port=line.port, can_interface="slcan", id="new", calibration_dir=tmp_path)
    with OpenArmFollower(config, prompter=ScriptedPrompter()):
        pass
    recorded = captured("calibration.json")
    assert {name: vars(entry) for name, entry in load_calibration(tmp_path / "new.json").items()} == recorded


def test_a_joint_far_outside_its_limits_is_refused_before_it_moves(
    line: VirtualBus, config: OpenArmFollowerConfig
) -> None:
    line.move({2: 60.0})
    arm = OpenArmFollower(config.model_copy(update={"side": "left"}))
    with pytest.raises(CalibrationError, match="'joint_2' reports 60 degrees, far outside its limits") as caught:
        arm.connect()
    assert caught.value.expected == "-90 to 9"
    assert not any(line.state(i)["Torque_Enable"] for i in IDS)


def test_torque_may_stay_on(line: VirtualBus, config: OpenArmFollowerConfig) -> None:
    """A second start finds the arm holding, and never lets it go."""
    config = config.model_copy(update={"disable_torque_on_disconnect": False})
    for _ in range(2):
        with OpenArmFollower(config) as arm:
            arm.send_action({"joint_4.pos": 5.0})
            arm.enter_safe_state()
        assert all(line.state(i)["Torque_Enable"] for i in IDS)
        assert not [frame for frame in sent(line) if frame[1] == DISABLE]


def test_a_leader_is_read_and_may_hold(line: VirtualBus, calibrations: Path, captured: Callable[[str], Any]) -> None:
    values = captured("leader_values.json")
    fields = {"port": line.port, "can_interface": "slcan", "id": "black", "calibration_dir": calibrations}
    line.move({int(i): radians * 57.29577951308232 for i, radians in values["motor_radians"].items() if i != "8"})
    with OpenArmLeader(OpenArmLeaderConfig(**fields)) as arm:
        assert not any(line.state(i)["Torque_Enable"] for i in IDS)
        action = arm.get_action()
        expected = {key: value for key, value in values["action"].items() if key != "gripper.pos"}
        assert {key: action[key] for key in expected} == pytest.approx(expected, abs=1e-6)
    with OpenArmLeader(OpenArmLeaderConfig(**fields, manual_control=False)) as arm:
        assert all(line.state(i)["Torque_Enable"] for i in IDS)
        arm.send_feedback({"joint_1.pos": 3.0})
        assert line.state(1)["goal"] == pytest.approx(3.0, abs=STEP_DEG)
    assert not any(line.state(i)["Torque_Enable"] for i in IDS)


def test_a_mini_leads_in_the_joints_of_an_openarm(
    start: Start, calibrations: Path, captured: Callable[[str], Any]
) -> None:
    """Positions of the recorded session, through the peer's reversed and exchanged joints."""
    line = start("openarm_mini")
    config = OpenArmMiniConfig(port=line.port, side="left", id="blue", calibration_dir=calibrations)
    expected = captured("mini_left_values.json")["action"]
    with OpenArmMini(config) as arm:
        steps = dict.fromkeys(MOTORS, 2047.5)
        sign = {i: -1 if i in (1, 3, 4, 5, 6, 7) else 1 for i in range(1, 8)}
        source = {6: "joint_7.pos", 7: "joint_6.pos"}
        for i in range(1, 8):
            key = source.get(i, f"joint_{i}.pos")
            steps[f"joint_{i}"] += sign[i] * expected[key] * 4095 / 360
        steps["gripper"] = 1500 + expected["gripper.pos"] / -0.65 * 10
        line.move({i: round(steps[name]) for i, name in enumerate(MOTORS, 1)})
        assert arm.get_action() == pytest.approx(expected, abs=1e-9)
        assert list(arm.get_action()) == list(arm.action_features)
        arm.enable_torque()
        arm.send_feedback(expected)
        assert [line.state(i)["Goal_Position"] for i in IDS] == pytest.approx(
            [round(each) for each in steps.values()], abs=1
        )


def test_calibrations_are_where_the_peer_keeps_them(lerobot_home: Path) -> None:
    arms = [
        OpenArmFollower(OpenArmFollowerConfig(port="x", id="a")),
        OpenArmLeader(OpenArmLeaderConfig(port="x", id="a")),
        OpenArmMini(OpenArmMiniConfig(port="x", id="a")),
    ]
    assert [arm.calibration_path.relative_to(lerobot_home / "calibration") for arm in arms] == [
        Path("robots/openarm_follower/a.json"),
        Path("teleoperators/openarm_leader/a.json"),
        Path("teleoperators/openarm_mini/a.json"),
    ]
    fields = OpenArmFollowerFields(port="x")
    pair = BiOpenArmFollower(BiOpenArmFollowerConfig(left_arm_config=fields, right_arm_config=fields))
    assert [arm.calibration_path.parts[-2:] for arm in pair.arms.values()] == [
        ("openarm_follower", "bi_openarm_follower_left.json"),
        ("openarm_follower", "bi_openarm_follower_right.json"),
    ]


def test_a_serial_port_needs_its_interface(calibrations: Path) -> None:
    config = OpenArmFollowerConfig(port="/dev/ttyACM0", id="black", calibration_dir=calibrations)
    with pytest.raises(DeviceConnectionError, match="can_interface is socketcan") as caught:
        OpenArmFollower(config).connect()
    assert "can_interface=slcan" in caught.value.hint
