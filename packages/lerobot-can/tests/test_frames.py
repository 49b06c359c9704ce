"""Frames against sessions of huggingface/lerobot and motorbridge that were recorded on virtual motors."""

import math
from collections.abc import Callable

import pytest

from lerobot.can import CanMotor, ForcePosition, Frame, Impedance, PositionVelocity
from lerobot.can.adapter import from_adapter, take_received, to_adapter
from lerobot.can.damiao.protocol import ControlMode, Damiao, Register
from lerobot.can.protocol import DISABLE, ENABLE
from lerobot.can.robstride.protocol import Robstride
from lerobot.can.virtual.wire import Damiao as AdapterWire
from lerobot.can.virtual.wire import Slcan
from lerobot.motors.errors import MotorValueError

DAMIAO = Damiao()
JOINT = CanMotor(1, "dm8009", reply_id=0x11)


def test_feedback_at_zero_is_the_recorded_value() -> None:
    state = DAMIAO.state(JOINT, Frame(0x11, bytes.fromhex("117fff7ff7ff1e1f")))
    assert state is not None
    assert math.degrees(state.position) == pytest.approx(-0.01092846942723013, abs=1e-12)
    assert math.degrees(state.velocity) == pytest.approx(-0.6296239506930066, abs=1e-12)
    assert state.torque == pytest.approx(-0.01318681318681314, abs=1e-12)
    assert (state.enabled, state.fault, state.mos_temperature, state.rotor_temperature) == (True, "", 0x1E, 0x1F)


def test_frames_of_a_rebot_session_are_the_recorded_ones(captured: Callable[[str], list[dict]]) -> None:
    """Its documented damping of 12 went over the wire as 5, the end of the scale."""
    sent = {line["raw"] for line in captured("rebot_b601/follower_session.jsonl") if line.get("dir") == "host"}
    motors = [CanMotor(i, "dm4340p" if i < 4 else "dm4310", reply_id=0x10 + i) for i in range(1, 8)]
    gains = [(45, 5), (45, 5), (45, 5), (8, 1), (9, 1), (8, 1)]
    drives = [*(Impedance(*each) for each in gains), ForcePosition(900.0, 0.07)]
    targets = [30.0, -45.0, -90.0, 10.0, -5.0, 90.0, -60.0]
    made = [
        DAMIAO.command(m, drive, math.radians(goal)) for m, drive, goal in zip(motors, drives, targets, strict=True)
    ]
    for motor in motors:
        made += [Frame(motor.id, ENABLE), Frame(motor.id, DISABLE), DAMIAO.query(motor, None)]
        made += [DAMIAO.read(motor, Register.CONTROL_MODE)]
    made.append(DAMIAO.write(motors[6], Register.CONTROL_MODE, ControlMode.FORCE_POSITION))
    assert [frame for frame in made if to_adapter(frame).hex() not in sent] == []


def test_frames_of_an_openarm_action_are_the_recorded_ones(captured: Callable[[str], list[dict]]) -> None:
    lines = captured("openarm/follower_right_session.jsonl")
    models = ["dm8009", "dm8009", "dm4340", "dm4340", *["dm4310"] * 4]
    kp, kd = [240, 240, 240, 240, 24, 31, 25, 25], [5, 5, 3, 5, 0.3, 0.3, 0.3, 0.3]
    targets = [30.0, -9.0, 12.5, 90.0, -45.0, 40.0, 0.25, -65.0]
    sent = {(line["id"], line["data"]) for line in lines if line.get("dir") == "host"}
    for i, each in enumerate(zip(models, kp, kd, targets, strict=True), 1):
        model, p, d, target = each
        frame = DAMIAO.command(CanMotor(i, model), Impedance(p, d), math.radians(target))
        assert (frame.id, frame.data.hex()) in sent, (i, frame.data.hex())


@pytest.mark.parametrize(
    ("drive", "expected"),
    [(Impedance(45, 12), "0 to 5"), (Impedance(501, 1), "0 to 500"), (Impedance(-1, 1), "0 to 500")],
)
def test_a_gain_that_no_frame_can_say_is_refused(drive: Impedance, expected: str) -> None:
    """The peer sends a damping of 12 as 5 and tells nobody."""
    with pytest.raises(MotorValueError, match="which no frame can say") as caught:
        DAMIAO.command(JOINT, drive, 0.0)
    assert caught.value.expected == expected


def test_a_position_beyond_the_scale_is_refused() -> None:
    with pytest.raises(MotorValueError, match=r"position \(rad\) is 12.6"):
        DAMIAO.command(JOINT, Impedance(1, 1), 12.6)


def test_other_modes_have_frames_of_their_own() -> None:
    """Values of the device sheet: -60 degrees, 900 degrees/s, 7 % of the torque."""
    frame = DAMIAO.command(CanMotor(7, "dm4310"), ForcePosition(900.0, 0.07), math.radians(-60.0))
    assert (frame.id, frame.data.hex()) == (0x307, "920a86bf2206bc02")
    frame = DAMIAO.command(CanMotor(2, "dm4310"), PositionVelocity(180.0), 1.0)
    assert (frame.id, frame.data.hex()) == (0x102, "0000803fdb0f4940")
    with pytest.raises(MotorValueError, match="not driven by PositionVelocity"):
        Robstride().command(CanMotor(1, "o2"), PositionVelocity(1.0), 0.0)


def test_a_register_answer_is_no_feedback() -> None:
    answer = Frame(0x11, bytes.fromhex("01003315") + bytes.fromhex("00004841"))
    assert DAMIAO.state(JOINT, answer) is None
    assert DAMIAO.register(JOINT, answer) == (Register.POSITION_END, 12.5)


def test_damaged_feedback_is_none() -> None:
    whole = bytes.fromhex("117fff7ff7ff1e1f")
    assert DAMIAO.state(JOINT, Frame(0x11, whole[:7])) is None
    assert DAMIAO.state(JOINT, Frame(0x11, b"\x12" + whole[1:])) is None, "another motor's id"
    assert DAMIAO.state(JOINT, Frame(0x11, b"\x51" + whole[1:])) is None, "a fault that there is not"


def test_the_adapters_frames_survive_noise() -> None:
    frames = [Frame(0x11, bytes(range(8))), Frame(0x7FF, b"\x55" * 8), Frame(0x12, b"\xaa\x11\x08" + bytes(5))]
    stream = b"\xaa\x11" + b"\x00\xaa" + b"".join(b"\xaa" * i + from_adapter(f) for i, f in enumerate(frames))
    buffer, found = bytearray(), []
    for byte in stream:
        buffer.append(byte)
        while (frame := take_received(buffer)) is not None:
            found.append(frame)
    assert found == frames
    assert AdapterWire().take(b"\x00\x55" + to_adapter(frames[0]) + to_adapter(frames[1])) == frames[:2]


def test_slcan_lines_are_those_of_the_recorded_session(captured: Callable[[str], list[dict]]) -> None:
    wire = Slcan()
    for line in captured("openarm/slcan_session.jsonl"):
        if line["dir"] == "host":
            frames = wire.take(line["line"].encode() + b"\r")
            assert [f"t{f.id:03X}{len(f.data)}{f.data.hex().upper()}" for f in frames] == (
                [line["line"]] if line["line"].startswith("t") else []
            )
        else:
            frame = Frame(int(line["line"][1:4], 16), bytes.fromhex(line["line"][5:]))
            assert wire.hand_on(frame).decode() == line["line"] + "\r"


def test_robstride_faults_are_named() -> None:
    assert Robstride().faults(Frame(0xFD, bytes([1, 0b101, 0x40, 0, 0, 0, 0, 0]))) == (
        "its winding is too hot, under-voltage, it is blocked"
    )
