"""The reBot 102: bytes of the recorded session, angles, calibration, and what goes wrong on its line."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import CalibrationError, DeviceConnectionError, NotConnectedError
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors.calibration_file import load_calibration
from lerobot.motors.errors import MotorError
from lerobot.motors.virtual import Fault, VirtualBus
from lerobot.rebot import packets
from lerobot.rebot.config import Rebot102LeaderConfig
from lerobot.rebot.leader import Rebot102Leader
from lerobot.rebot.tables import DIRECTIONS, JOINTS

Captured = Callable[[str], Any]


@pytest.fixture
def line(start: Callable[..., VirtualBus]) -> VirtualBus:
    return start("rebot_102")


@pytest.fixture
def config(line: VirtualBus, calibrations: Path) -> Callable[..., Rebot102LeaderConfig]:
    def config(**fields: Any) -> Rebot102LeaderConfig:
        return Rebot102LeaderConfig(**{"port": line.port, "id": "blue", "calibration_dir": calibrations, **fields})

    return config


@pytest.fixture
def leader(config: Callable[..., Rebot102LeaderConfig]) -> Iterator[Rebot102Leader]:
    with Rebot102Leader(config(), prompter=ScriptedPrompter()) as leader:
        yield leader


# --- beside the recorded session -------------------------------------------------------------------------------------


def host_bytes(session: list[dict[str, Any]], mark: str) -> list[bytes]:
    """What the host sent in one call of the recorded session."""
    marks = [entry.get("mark") for entry in session]
    begin = marks.index(mark)
    end = next(place for place in range(begin + 1, len(marks)) if marks[place])
    return [bytes.fromhex(entry["raw"]) for entry in session[begin:end] if entry.get("dir") == "host"]


def test_packets_of_connecting_and_calibrating_are_the_recorded_ones(
    line: VirtualBus, config: Callable[..., Rebot102LeaderConfig], captured: Captured, tmp_path: Path
) -> None:
    recorded = host_bytes(captured("rebot_102/leader_session.jsonl"), "connect")
    leader = Rebot102Leader(config(id="new", calibration_dir=tmp_path), prompter=ScriptedPrompter())
    leader.connect()
    leader.disconnect()
    sent = line.packets()
    states = packets.sync_monitor(range(7))
    # Before somebody moves the arm it is let go, and after its zero is set it is looked at: there it is neither.
    assert sent[7:14] == [packet for packet in sent[7:14] if packet[2] == packets.STOP]
    assert [packet for packet in sent[:7] + sent[14:] if packet != states] == recorded
    assert sent.count(states) == 1
    held = load_calibration(tmp_path / "new.json")
    assert {joint: vars(entry) for joint, entry in held.items()} == captured("rebot_102/calibration.json")


def test_reading_is_the_recorded_bytes_and_values(leader: Rebot102Leader, line: VirtualBus, captured: Captured) -> None:
    session, values = captured("rebot_102/leader_session.jsonl"), captured("rebot_102/values.json")
    line.move({int(servo): tenths / 10 for servo, tenths in values["servo_tenths_of_degree"].items()})
    line.packets()
    action = leader.get_action()
    assert list(action) == list(values["action"])
    assert action == pytest.approx(values["action"], abs=1e-6)
    assert line.packets() == host_bytes(session, "get_action")[:1]


def test_recorded_answers_are_read(captured: Captured) -> None:
    session, values = captured("rebot_102/leader_session.jsonl"), captured("rebot_102/values.json")
    buffer = bytearray(b"".join(bytes.fromhex(each["raw"]) for each in session if each.get("dir") == "servo"))
    angles: dict[int, float] = {}
    while (packet := packets.take(buffer, packets.REPLY)) is not None:
        if packet.code == packets.MONITOR:
            state = packets.read_monitor(packet.content)
            assert state is not None
            assert (state.voltage, state.current, state.status) == (7.4, 0.12, 0)
            angles[state.id] = state.angle
    assert angles == {int(servo): tenths / 10 for servo, tenths in values["servo_tenths_of_degree"].items()}


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = registry.config_class("teleoperator", "rebot_102_leader")(port="/dev/ttyUSB0")
    assert config.model_dump(exclude={"type"}) == {
        "port": "/dev/ttyUSB0",
        "baudrate": 1_000_000,
        "joint_ids": dict(zip(JOINTS, range(7), strict=True)),
        "joint_directions": dict(zip(JOINTS, (-1, -1, 1, 1, 1, -1, -6), strict=True)),
        "joint_ranges": {
            "shoulder_pan": (-150, 150),
            "shoulder_lift": (-200, 1),
            "elbow_flex": (-200, 1),
            "wrist_flex": (-80, 90),
            "wrist_yaw": (-90, 90),
            "wrist_roll": (-90, 90),
            "gripper": (-270, 0),
        },
        "id": None,
        "calibration_dir": None,
    }


# --- angles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("joint", "angle", "position"),
    [
        ("shoulder_pan", -100.0, 100.0),
        ("shoulder_pan", 260.0, 100.0),
        ("shoulder_pan", 620.0, 100.0),
        ("shoulder_pan", 170.0, -150.0),
        ("elbow_flex", -199.0, -199.0),
        ("elbow_flex", 161.0, -199.0),
        ("elbow_flex", 20.0, 1.0),
        ("gripper", 25.0, -150.0),
        ("gripper", 45.0, -270.0),
        ("gripper", -3.0, 0.0),
        ("gripper", 385.0, -150.0),
    ],
)
def test_whole_turns_are_left_out_and_ends_hold(
    config: Callable[..., Rebot102LeaderConfig], joint: str, angle: float, position: float
) -> None:
    """By hand: the range's middle is where the angle's turn is; then direction, gear and ends."""
    assert Rebot102Leader(config())._position(joint, angle) == pytest.approx(position)


def test_random_poses_come_back(leader: Rebot102Leader, line: VirtualBus) -> None:
    chance = random.Random(1)
    features = leader.action_features
    for _ in range(20):
        pose = {key: chance.uniform(*spec.range) for key, spec in features.items() if spec.range}
        line.move({n: pose[f"{joint}.pos"] / DIRECTIONS[joint] for n, joint in enumerate(JOINTS)})
        read = leader.get_action()
        # A servo tells tenths of a degree, the gripper's six times that.
        assert all(abs(read[key] - pose[key]) <= 0.31 for key in pose)


# --- calibration -----------------------------------------------------------------------------------------------------


def test_connecting_does_not_move_the_zero(leader: Rebot102Leader, line: VirtualBus) -> None:
    """An arm that is switched on in another pose keeps its zero."""
    line.move({0: 40.0})
    leader.disconnect()
    leader.connect()
    assert line.state(0)["origin"] == 0.0
    assert leader.get_action()["shoulder_pan.pos"] == pytest.approx(-40.0)


def test_calibrating_takes_the_present_pose_for_zero(leader: Rebot102Leader, line: VirtualBus) -> None:
    line.move({0: 40.0, 6: 10.0})
    leader.prompter = ScriptedPrompter(["c"])
    leader.calibrate()
    assert (line.state(0)["origin"], line.state(6)["origin"]) == (40.0, 10.0)
    assert leader.get_action() == pytest.approx(dict.fromkeys(leader.action_features, 0.0))


def test_enter_keeps_the_calibration(leader: Rebot102Leader, line: VirtualBus) -> None:
    line.move({0: 40.0})
    leader.prompter = ScriptedPrompter([""])
    leader.calibrate()
    assert line.state(0)["origin"] == 0.0


def test_nobody_at_the_terminal_is_said(config: Callable[..., Rebot102LeaderConfig], tmp_path: Path) -> None:
    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    leader = Rebot102Leader(config(id="new", calibration_dir=tmp_path), prompter=Nobody())
    with pytest.raises(CalibrationError, match="nobody is at the terminal"):
        leader.connect()
    assert not leader.is_connected


@pytest.mark.parametrize("text", ["{}", "no json", '{"shoulder_pan": {"id": 0}}'])
def test_a_file_that_cannot_be_used_is_refused(
    config: Callable[..., Rebot102LeaderConfig], calibrations: Path, text: str
) -> None:
    (calibrations / "blue.json").write_text(text)
    leader = Rebot102Leader(config(), prompter=ScriptedPrompter())
    with pytest.raises(CalibrationError):
        leader.connect()
    leader.connect(calibrate=False)
    leader.disconnect()


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_servos_that_are_missing_are_named(line: VirtualBus, config: Callable[..., Rebot102LeaderConfig]) -> None:
    line.fault(2, Fault.MISSING)
    line.fault(5, Fault.MISSING)
    with pytest.raises(MotorError, match=r"elbow_flex \(id=2\); Servo not found for wrist_roll \(id=5\)"):
        Rebot102Leader(config()).connect()


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.CORRUPT])
def test_one_answer_in_twenty_may_be_lost_or_damaged(leader: Rebot102Leader, line: VirtualBus, fault: Fault) -> None:
    line.move({0: -30.0, 3: 12.3, 6: 20.0})
    for servo in range(7):
        line.fault(servo, fault, 0.05)
    for _ in range(60):
        read = leader.get_action()
        assert (read["shoulder_pan.pos"], read["wrist_flex.pos"], read["gripper.pos"]) == pytest.approx(
            (30, 12.3, -120)
        )


def test_a_servo_that_falls_silent_is_an_error_and_no_action_is_repeated(
    leader: Rebot102Leader, line: VirtualBus
) -> None:
    leader.get_action()
    line.fault(3, Fault.MISSING)
    with pytest.raises(DeviceConnectionError, match="wrist_flex did not answer") as caught:
        leader.get_action()
    assert "\n" not in caught.value.what
    line.mend(3)
    line.move({3: 5.0})
    assert leader.get_action()["wrist_flex.pos"] == pytest.approx(5.0)


def test_late_answers_are_not_taken_for_new_ones(leader: Rebot102Leader, line: VirtualBus) -> None:
    line.fault(0, Fault.LATE, 0.1)
    with pytest.raises(DeviceConnectionError, match="shoulder_pan did not answer"):
        leader.get_action()
    line.move({0: -70.0})
    line.mend(0)
    for _ in range(5):
        assert leader.get_action()["shoulder_pan.pos"] == pytest.approx(70.0)


def test_noise_on_the_line_is_survived(leader: Rebot102Leader, line: VirtualBus) -> None:
    line.move({0: -30.0})
    whole = packets.reply(packets.MONITOR, packets.monitor_content(0, 7400, 999, 0))
    for noise in (b"\x05", b"\x05\x1c\x16\xff", whole[:12], b"\xff" * 300, bytes(4000), whole[:-1] + b"\x00"):
        line.babble(noise)
        assert leader.get_action()["shoulder_pan.pos"] == pytest.approx(30.0)


def test_a_pulled_cable_is_one_error(leader: Rebot102Leader, line: VirtualBus) -> None:
    line.unplug()
    with pytest.raises(DeviceConnectionError, match="was lost"):
        leader.get_action()
    with pytest.raises(NotConnectedError, match="nothing reaches it any more"):
        leader.get_action()
    leader.disconnect()


def test_what_is_wrong_is_found(config: Callable[..., Rebot102LeaderConfig], line: VirtualBus, tmp_path: Path) -> None:
    leader = Rebot102Leader(config())
    assert leader.diagnose() == []
    line.fault(4, Fault.MISSING)
    (finding,) = leader.diagnose()
    assert (finding.cause, finding.motor, finding.place) == ("missing", "wrist_yaw", 5)
    line.mend(4)
    (finding,) = Rebot102Leader(config(id="new", calibration_dir=tmp_path)).diagnose()
    assert finding.cause == "calibration"
    line.unplug()
    (finding,) = leader.diagnose()
    assert finding.cause == "port"


# --- packets and configuration ---------------------------------------------------------------------------------------


def test_every_single_damage_of_a_packet_is_noticed() -> None:
    whole = packets.reply(packets.MONITOR, packets.monitor_content(3, 7400, -1234, 2))
    assert packets.take(bytearray(whole), packets.REPLY) is not None
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            assert packets.take(damaged, packets.REPLY) is None
    assert packets.read_monitor(b"short") is None


def test_random_bytes_are_no_packets_and_end() -> None:
    chance = random.Random(5)
    buffer = bytearray()
    for _ in range(2000):
        buffer += chance.randbytes(chance.randrange(40))
        packets.take(buffer, packets.REPLY)
        assert len(buffer) < 400


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"joint_directions": {"shoulder_pan": 1}}, "joint_directions for shoulder_pan, shoulder_lift"),
        ({"joint_ids": dict.fromkeys(JOINTS, 1)}, "another number for each servo"),
        ({"joint_directions": dict.fromkeys(JOINTS, 0)}, "other than 0"),
        ({"joint_ranges": dict.fromkeys(JOINTS, (1, 1))}, "low < high"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Rebot102LeaderConfig(port="x", **fields)
