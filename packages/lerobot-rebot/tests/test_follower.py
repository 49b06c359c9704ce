"""The reBot B601: frames of the recorded session, how it is driven, and what goes wrong on its bus."""

import itertools
import json
import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.can.adapter import to_adapter
from lerobot.can.frame import Frame
from lerobot.can.packing import unpack_command
from lerobot.core.errors import CalibrationError, DeviceConnectionError, SafetyError
from lerobot.core.registry import registry
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors.calibration_file import load_calibration
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.rebot.config import RebotB601FollowerConfig
from lerobot.rebot.follower import RebotB601Follower, drives_of
from lerobot.rebot.tables import JOINTS, LIMITS

Captured = Callable[[str], Any]
RECORDING = Path(__file__).resolve().parents[4] / "shared" / "data" / "rebot_b601_v30_1ep"
IDS = range(1, 8)
SINGLE_DEG = 5e-5
"""The recorded values were computed in single precision, on a scale of 12.5 rad."""


@pytest.fixture
def line(start: Callable[..., VirtualBus]) -> VirtualBus:
    return start("rebot_b601")


@pytest.fixture
def config(line: VirtualBus, calibrations: Path) -> Callable[..., RebotB601FollowerConfig]:
    def config(**fields: Any) -> RebotB601FollowerConfig:
        return RebotB601FollowerConfig(**{"port": line.port, "id": "black", "calibration_dir": calibrations, **fields})

    return config


@pytest.fixture
def arm(config: Callable[..., RebotB601FollowerConfig]) -> Iterator[RebotB601Follower]:
    with RebotB601Follower(config(), prompter=ScriptedPrompter()) as arm:
        yield arm


def torque(line: VirtualBus) -> list[float]:
    return [line.state(motor)["Torque_Enable"] for motor in IDS]


# --- beside the recorded session -------------------------------------------------------------------------------------


def host_frames(session: list[dict[str, Any]], mark: str) -> list[dict[str, Any]]:
    """What the host sent in one call of the recorded session."""
    marks = [entry.get("mark") for entry in session]
    begin = next(place for place, name in enumerate(marks) if name and name.startswith(mark))
    end = next(place for place in range(begin + 1, len(marks)) if marks[place])
    return [entry for entry in session[begin:end] if entry.get("dir") == "host"]


def as_recorded(frames: list[bytes]) -> list[tuple[int, str, str]]:
    """Id, data and bytes to the adapter of frames that the virtual arm heard."""
    heard = [Frame(int.from_bytes(frame[:2], "big"), frame[2:]) for frame in frames]
    return [(frame.id, frame.data.hex(), to_adapter(frame).hex()) for frame in heard]


def expected(frames: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(frame["can_id"], frame["data"], frame["raw"]) for frame in frames]


def test_frames_of_a_command_are_the_recorded_ones(
    arm: RebotB601Follower, line: VirtualBus, captured: Captured
) -> None:
    """Among them a damping of 12 of huggingface/lerobot, which is sent as the 5 that a frame can say."""
    values = captured("rebot_b601/values.json")
    line.packets()
    assert arm.send_action(values["given"]) == pytest.approx(values["sent"])
    assert as_recorded(line.packets()) == expected(host_frames(captured("rebot_b601/follower_session.jsonl"), "send_"))


def test_frames_of_measuring_are_the_recorded_ones(
    arm: RebotB601Follower, line: VirtualBus, captured: Captured
) -> None:
    session, values = captured("rebot_b601/follower_session.jsonl"), captured("rebot_b601/values.json")
    line.packets()
    assert arm.get_observation() == pytest.approx(values["at_zero"], abs=SINGLE_DEG)
    assert as_recorded(line.packets()) == expected(host_frames(session, "get_observation"))


def test_every_frame_of_calibrating_was_recorded_and_connecting_sets_no_zero(
    line: VirtualBus, config: Callable[..., RebotB601FollowerConfig], captured: Captured, tmp_path: Path
) -> None:
    session = captured("rebot_b601/follower_session.jsonl")
    recorded = {each for each in expected(host_frames(session, "connect")) if each[1][:14] == "ff" * 7}
    arm = RebotB601Follower(config(id="new", calibration_dir=tmp_path), prompter=ScriptedPrompter())
    arm.connect()
    arm.disconnect()
    zero = "ff" * 7 + "fe"
    commands = {each for each in as_recorded(line.packets()) if each[1][:14] == "ff" * 7}
    assert commands == recorded
    assert sum(data == zero for _, data, _ in commands) == 7
    assert json.loads((tmp_path / "new.json").read_text()) == captured("rebot_b601/calibration.json")
    arm.connect()
    arm.disconnect()
    assert zero not in {data for _, data, _ in as_recorded(line.packets())}


def test_recorded_feedback_is_read(arm: RebotB601Follower, captured: Captured) -> None:
    session, values = captured("rebot_b601/follower_session.jsonl"), captured("rebot_b601/values.json")
    last = {entry["can_id"]: entry for entry in session if entry.get("dir") == "motor"}
    for joint in JOINTS:
        frame = Frame(arm.bus.motors[joint].reply_id, bytes.fromhex(last[arm.bus.motors[joint].reply_id]["data"]))
        arm.bus._forget_positions([joint])
        state = arm.bus._state(joint, frame)
        assert state is not None
        assert math.degrees(state.position) == pytest.approx(values["after"][f"{joint}.pos"], abs=SINGLE_DEG)
        assert not state.enabled, "the last thing that was recorded is that it was switched off"


def test_names_are_those_of_a_real_recording() -> None:
    if not RECORDING.is_dir():
        pytest.skip(f"{RECORDING} is not there")
    features = json.loads((RECORDING / "meta" / "info.json").read_text())["features"]
    arm = RebotB601Follower(RebotB601FollowerConfig(port="none"))
    assert list(arm.action_features) == features["action"]["names"]
    assert list(arm.observation_features) == features["observation.state"]["names"]


def test_fields_and_defaults_are_the_documented_ones() -> None:
    """But `mit_kd`, whose 12 is 5 here because it is sent so."""
    config = registry.config_class("robot", "rebot_b601_follower")(port="/dev/ttyACM0")
    assert config.model_dump(exclude={"type"}) == {
        "port": "/dev/ttyACM0",
        "can_adapter": "damiao",
        "dm_serial_baud": 921_600,
        "disable_torque_on_disconnect": True,
        "max_relative_target": None,
        "cameras": {},
        "motor_can_ids": {joint: (n, 16 + n) for n, joint in enumerate(JOINTS, 1)},
        "pos_vel_velocity": [150.0, 150.0, 150.0, 150.0, 150.0, 150.0, 900.0],
        "control_mode": "mit",
        "mit_kp": [45.0, 45.0, 45.0, 8.0, 9.0, 8.0, 8.0],
        "mit_kd": [5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0],
        "gripper_control_mode": "force_pos",
        "gripper_torque_ratio": 0.07,
        "gripper_mit_kp": 8.0,
        "gripper_mit_kd": 0.3,
        "joint_limits": {
            "shoulder_pan": (-150.0, 150.0),
            "shoulder_lift": (-200.0, 1.0),
            "elbow_flex": (-200.0, 1.0),
            "wrist_flex": (-80.0, 90.0),
            "wrist_yaw": (-90.0, 90.0),
            "wrist_roll": (-90.0, 90.0),
            "gripper": (-270.0, 0.0),
        },
        "id": None,
        "calibration_dir": None,
    }


# --- how it is driven ------------------------------------------------------------------------------------------------


def test_stronger_damping_than_a_frame_can_say_is_told_once(
    config: Callable[..., RebotB601FollowerConfig], caplog: pytest.LogCaptureFixture
) -> None:
    theirs = config(mit_kd=[12.0, 12.0, 12.0, 1.0, 1.0, 1.0, 1.0])
    assert drives_of(theirs) == drives_of(config())
    with caplog.at_level(logging.WARNING):
        RebotB601Follower(theirs)
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "mit_kd of shoulder_pan, shoulder_lift, elbow_flex is sent as 5: a motor takes no more"
    )


@pytest.mark.parametrize(
    ("fields", "modes"),
    [
        ({}, [1, 1, 1, 1, 1, 1, 4]),
        ({"control_mode": "pos_vel"}, [2, 2, 2, 2, 2, 2, 4]),
        ({"control_mode": "pos_vel", "gripper_control_mode": "mit"}, [2, 2, 2, 2, 2, 2, 1]),
    ],
)
def test_it_goes_where_it_is_sent_in_every_mode(
    line: VirtualBus, config: Callable[..., RebotB601FollowerConfig], fields: dict[str, Any], modes: list[int]
) -> None:
    goal = {"shoulder_pan.pos": 10.0, "shoulder_lift.pos": -15.0, "wrist_flex.pos": 8.0, "gripper.pos": -40.0}
    with RebotB601Follower(config(**fields), prompter=ScriptedPrompter()) as arm:
        assert [int(mode) for mode in arm.bus.control_modes().values()] == modes
        assert torque(line) == [1] * 7
        arm.send_action(goal)
        deadline = time.monotonic() + 30
        while any(abs(arm.get_observation()[key] - target) > 1 for key, target in goal.items()):
            assert time.monotonic() < deadline
        assert arm.get_observation()["elbow_flex.pos"] == pytest.approx(0, abs=1)
    assert torque(line) == [0] * 7


def test_a_joint_that_is_left_out_stays(arm: RebotB601Follower, line: VirtualBus) -> None:
    """Where huggingface/lerobot turns `wrist_yaw` to 0."""
    line.move({})
    line.packets()
    sent = arm.send_action({"shoulder_pan.pos": 3.0})
    assert sent == {"shoulder_pan.pos": 3.0}
    assert [frame[:2] for frame in line.packets()] == [b"\x00\x01"]


def test_an_arm_with_another_zero_is_refused(config: Callable[..., RebotB601FollowerConfig], line: VirtualBus) -> None:
    """A zero that is taken anew at every start would hide it, and the arm would hit its stops."""
    with pytest.raises(CalibrationError, match=r"'shoulder_lift' reports -?0 degrees, far outside its limits"):
        RebotB601Follower(config(joint_limits={**LIMITS, "shoulder_lift": (-200.0, -100.0)})).connect()
    assert torque(line) == [0] * 7


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mit_kp": [1.0, 2.0]}, "mit_kp with one number, or 7; it has 2"),
        ({"joint_limits": {"shoulder_pan": (0.0, 1.0)}}, "joint_limits for shoulder_pan, shoulder_lift"),
        ({"joint_limits": {**LIMITS, "gripper": (0.0, -1.0)}}, "low < high; gripper has 0 and -1"),
        ({"can_adapter": "usb"}, "damiao"),
        ({"control_mode": "torque"}, "pos_vel"),
        ({"mit_kp": -1.0}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RebotB601FollowerConfig(port="x", **fields)


def test_a_stiffness_that_no_frame_can_say_is_refused(config: Callable[..., RebotB601FollowerConfig]) -> None:
    with pytest.raises(MotorValueError, match="kp"):
        RebotB601Follower(config(mit_kp=501.0))


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.CORRUPT])
def test_one_frame_in_twenty_may_be_lost_or_damaged(arm: RebotB601Follower, line: VirtualBus, fault: Fault) -> None:
    for motor in IDS:
        line.fault(motor, fault, 0.05)
    goal = {"shoulder_pan.pos": 5.0, "elbow_flex.pos": -5.0, "gripper.pos": -10.0}
    for _ in range(40):
        arm.send_action(goal)
        here = arm.get_observation()
        assert all(min(0, goal[key]) - 3 <= here[key] <= max(0, goal[key]) + 3 for key in goal)
    arm.enter_safe_state()
    assert torque(line) == [0] * 7


def test_a_cut_wire_in_motion_is_one_error(arm: RebotB601Follower, line: VirtualBus) -> None:
    arm.send_action({"shoulder_pan.pos": 30.0})
    line.unplug()
    with pytest.raises(DeviceConnectionError, match="was lost") as caught:
        arm.send_action({"shoulder_pan.pos": 31.0})
    assert "\n" not in caught.value.what
    arm.disconnect()


def test_noise_between_frames_is_survived(arm: RebotB601Follower, line: VirtualBus) -> None:
    half = bytes.fromhex("aa110811000000017fff")
    for noise in (b"\xaa", b"\xaa\x11\x08", half, b"\x55" * 40, bytes(3000), bytes(range(256))):
        line.babble(noise)
        assert arm.get_observation() == pytest.approx(dict.fromkeys(arm.action_features, 0.0), abs=0.1)


def test_a_motor_that_is_silent_is_never_zero(arm: RebotB601Follower, line: VirtualBus) -> None:
    """Where huggingface/lerobot records 0 degrees."""
    line.fault(3, Fault.MISSING)
    with pytest.raises(DeviceConnectionError, match="elbow_flex did not answer"):
        arm.get_observation()
    with pytest.raises(DeviceConnectionError, match="elbow_flex"):
        arm.enter_safe_state()
    assert torque(line) == [0, 0, 1, 0, 0, 0, 0], "the others are off"


def test_a_motor_that_switched_itself_off_stops_the_arm(arm: RebotB601Follower, line: VirtualBus) -> None:
    line.fault(2, Fault.OVERLOAD)
    arm.get_observation()
    with pytest.raises(MotorError, match="'shoulder_lift' has switched itself off: overload"):
        arm.send_action(dict.fromkeys(arm.action_features, 0.0))


def test_slow_answers_are_an_error_and_the_arm_can_be_released(arm: RebotB601Follower, line: VirtualBus) -> None:
    for motor in IDS:
        line.fault(motor, Fault.LATE, 0.5)
    with pytest.raises(DeviceConnectionError, match="did not answer"):
        arm.get_observation()
    for motor in IDS:
        line.mend(motor)
    time.sleep(0.6)
    arm.enter_safe_state()
    assert torque(line) == [0] * 7


def test_a_second_program_cannot_open_the_adapter(
    arm: RebotB601Follower, config: Callable[..., RebotB601FollowerConfig]
) -> None:
    with pytest.raises(DeviceConnectionError, match="another program is using it"):
        RebotB601Follower(config()).connect()
    arm.get_observation()


def test_what_is_wrong_is_found(config: Callable[..., RebotB601FollowerConfig], line: VirtualBus) -> None:
    arm = RebotB601Follower(config())
    assert arm.diagnose() == []
    line.fault(4, Fault.MISSING)
    (finding,) = arm.diagnose()
    assert (finding.cause, finding.motor, finding.place) == ("missing", "wrist_flex", 4)


# --- hostile commands ------------------------------------------------------------------------------------------------

NUMBERS = (
    0, -1, 1e308, -1e308, math.nan, math.inf, -math.inf, 1e-320, 10**400, "1", None, True, [1.0], {"a": 1}, b"1",
    object(), 1 + 2j, np.float64("nan"), np.array([1.0]), 150.0, -200.0, 5e-324,
)  # fmt: skip


def hostile(chance: random.Random) -> Any:
    keys = [f"{joint}.pos" for joint in JOINTS]
    match chance.randrange(6):
        case 0:
            return chance.choice([None, 5, "go", [1, 2], {}, {"SHOULDER_PAN.POS": 1}, math.nan])
        case 1:
            return {chance.choice(keys): chance.choice(NUMBERS)}
        case 2:
            return {key: chance.uniform(-1, 1) * 10 ** chance.randrange(12) for key in keys}
        case 3:
            return {key: chance.choice((-1e9, 1e9, 400.0, -400.0)) for key in keys}
        case _:
            return {key: chance.choice(NUMBERS) for key in (*keys, "evil")}


def goals_of(frames: list[bytes], arm: RebotB601Follower) -> Iterator[tuple[str, float]]:
    """Joint and goal in degrees of every frame that commands a position."""
    joints = {motor.id: joint for joint, motor in arm.bus.motors.items()}
    for frame in frames:
        identifier, data = int.from_bytes(frame[:2], "big"), frame[2:]
        if identifier in joints and data[:7] != b"\xff" * 7:
            joint = joints[identifier]
            yield joint, math.degrees(unpack_command(arm.bus.model(joint), data)[0])
        elif identifier == 0x307:
            yield "gripper", math.degrees(np.frombuffer(data[:4], "<f4")[0])


def require_inside(seen: dict[str, list[float]], slack: float) -> None:
    """Check goals by joint against the limits and the step of `GATE`, written down independently of the gate."""
    for joint, goals in seen.items():
        low, high = LIMITS[joint]
        assert low - slack <= min(goals) < max(goals) <= high + slack
        assert max(abs(after - before) for before, after in itertools.pairwise(goals)) <= 2.0 + 2 * slack


GATE = SafetyConfig(ramp_s=0.0, stop_after_s=3600, max_state_age_s=3600, max_step=2.0)


def test_hostile_commands_move_nothing_beyond_its_limits(
    arm: RebotB601Follower, line: VirtualBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every goal that goes over the bus is looked at."""
    # The motors share two cores with whatever else runs: what is late is no fault here.
    monkeypatch.setattr("lerobot.can.exchange.REPLY_WAIT_S", 5.0)
    chance, count = random.Random(11), 200
    seen: dict[str, list[float]] = {joint: [] for joint in JOINTS}
    line.packets()
    with GatedRobot.connected(arm, GATE) as gated:
        gated.observe()
        for _ in range(count):
            gated.send(hostile(chance))
        for joint, goal in goals_of(line.packets(), arm):
            seen[joint].append(goal)
    assert all(len(goals) >= count for goals in seen.values())
    # A frame says an angle to 0.02 degrees.
    require_inside(seen, slack=0.025)
    assert torque(line) == [0] * 7


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_hostile_commands_reach_the_bus_inside_its_limits(
    arm: RebotB601Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the arm hands to its bus, without the wire, which would take an hour."""
    chance, count = random.Random(12), 100_000
    seen: dict[str, list[float]] = {joint: [] for joint in JOINTS}

    def hand_over(_name: str, goals: dict[str, float]) -> None:
        for joint, goal in goals.items():
            seen[joint].append(goal)

    gated = GatedRobot(arm, SafetyGate.for_robot(arm, GATE))
    gated.observe()
    with monkeypatch.context() as patch:
        patch.setattr(arm.bus, "sync_write", hand_over)
        for _ in range(count):
            gated.send(hostile(chance))
    assert all(len(goals) == count for goals in seen.values())
    require_inside(seen, slack=1e-9)


def test_a_run_without_usable_commands_ends_safe(arm: RebotB601Follower, line: VirtualBus) -> None:
    with (  # noqa: PT012 - what happens inside is what is tested
        pytest.raises(SafetyError),
        GatedRobot.connected(arm, SafetyConfig(ramp_s=0.0, stop_after_s=0.3)) as gated,
    ):
        while True:
            gated.observe()
            gated.send({"shoulder_pan.pos": math.nan})
    assert torque(line) == [0] * 7


def test_a_calibration_of_the_peer_is_used(config: Callable[..., RebotB601FollowerConfig], calibrations: Path) -> None:
    arm = RebotB601Follower(config())
    assert arm.bus.calibration == load_calibration(calibrations / "black.json")
