"""Messages recorded between huggingface/lerobot and a stand-in of the bridge, and what else may come."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.remote.wire.errors import WireError
from lerobot.unitree_g1.joints import JOINTS, MEASURED, POSITIONS
from lerobot.unitree_g1.messages import MAX_BYTES, MotorCommand, decode_command, decode_state, encode_command
from lerobot.unitree_g1.robot import UnitreeG1
from lerobot.unitree_g1.virtual import VirtualG1

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)


@pytest.fixture(scope="module")
def golden() -> Callable[[str], Any]:
    folder = SHARED / "data/golden/hardware/unitree_g1" if SHARED else None
    if folder is None or not folder.is_dir():
        pytest.skip("../shared, with the recorded messages, is absent")
    return lambda name: json.loads((folder / name).read_text())


def test_an_observation_is_the_one_that_huggingface_lerobot_made(golden: Callable[[str], Any]) -> None:
    state = golden("lowstate.json")
    expected = golden("observation.json")
    # The observation was taken before two of the joints were moved for the recorded state.
    for joint, value in ((18, expected["kLeftElbow.q"]), (28, expected["kRightWristYaw.q"])):
        state["data"]["motor_state"][joint]["q"] = value
    decoded = decode_state(json.dumps(state).encode())
    assert expected.pop("wireless_remote") == decoded.remote.hex()
    assert decoded.values == expected
    assert set(expected) == {*POSITIONS, *MEASURED}
    assert decoded.mode_machine == 5


@pytest.mark.parametrize(("name", "limp"), [("lowcmd_send_action.json", False), ("lowcmd_disconnect.json", True)])
def test_commands_are_those_of_huggingface_lerobot_byte_for_byte(
    golden: Callable[[str], Any], name: str, limp: bool
) -> None:
    theirs = golden(name)
    told = [
        MotorCommand(motor["q"], 0.0 if limp else float(joint.kp), 0.0 if limp else float(joint.kd))
        for joint, motor in zip(JOINTS, theirs["data"]["motor_cmd"], strict=False)
    ]
    assert encode_command(5, told) == json.dumps(theirs).encode()
    assert decode_command(json.dumps(theirs).encode()) == (5, told)


def test_a_session_sends_what_the_recorded_one_sent(
    golden: Callable[[str], Any], g1: VirtualG1, built: Callable[..., UnitreeG1]
) -> None:
    """From the recorded pose to the recorded targets, and limp at the end, through the driver."""
    pose = golden("observation.json")
    g1.q[:] = [pose[joint.key] for joint in JOINTS]
    theirs = {
        name: decode_command(json.dumps(golden(f"lowcmd_{name}.json")).encode())[1]
        for name in ("send_action", "disconnect")
    }
    with built(g1, disable_torque_on_disconnect=True) as robot:
        robot.send_action({"kLeftElbow.q": 0.3, "kRightWristYaw.q": -0.2})
        while not g1.commands:
            pass
    while len(g1.commands) < 2:
        pass
    assert g1.commands[0] == theirs["send_action"]
    assert [(told.kp, told.kd) for told in g1.commands[-1]] == [(0.0, 0.0)] * 29
    assert [(told.kp, told.kd) for told in theirs["disconnect"]] == [(0.0, 0.0)] * 29


# --- hostile states --------------------------------------------------------------------------------------------------


@pytest.fixture
def state() -> dict[str, Any]:
    text: dict[str, Any] = json.loads(VirtualG1()._state())
    return text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data["motor_state"].__delitem__(slice(20, None)), "a state has 20 motors"),
        (lambda data: data.pop("motor_state"), "a state has no motors"),
        (lambda data: data["motor_state"][3].update(q=float("nan")), r"kLeftKnee\.q is nan"),
        (lambda data: data["motor_state"][3].update(q=10**400), r"kLeftKnee\.q is 1000"),
        (lambda data: data["motor_state"][3].update(q=True), r"kLeftKnee\.q is True"),
        (lambda data: data["motor_state"][3].pop("dq"), r"kLeftKnee\.dq is None"),
        (lambda data: data["motor_state"].__setitem__(28, 3), "a state has 3 for kRightWristYaw"),
        (lambda data: data.pop("imu_state"), "a state has no imu_state"),
        (lambda data: data["imu_state"].update(rpy=[0.0, 0.0]), r"rpy is \[0\.0, 0\.0\]"),
        (lambda data: data["imu_state"].update(gyroscope=[0.0, "1", 0.0]), r"imu\.gyro\.y is 1"),
        (lambda data: data.update(mode_machine=-1), "mode_machine=-1"),
        (lambda data: data.update(mode_machine=1.5), "mode_machine=1.5"),
        (lambda data: data.update(wireless_remote="!"), "wireless_remote is '!'"),
        (lambda data: data.update(wireless_remote="AAAA"), "wireless_remote has 3 bytes"),
    ],
)
def test_a_state_that_is_none_says_what_it_lacks(
    state: dict[str, Any], change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    change(state["data"])
    with pytest.raises(WireError, match=said):
        decode_state(json.dumps(state).encode())


def test_random_bytes_are_no_states() -> None:
    rng = random.Random(5)
    good = VirtualG1()._state()
    for _ in range(3000):
        message = bytearray(good if rng.random() < 0.7 else rng.randbytes(rng.randrange(300)))
        for _ in range(rng.randrange(1, 5)):
            if message:
                message[rng.randrange(len(message))] = rng.randrange(256)
        try:
            values = decode_state(bytes(message)).values
        except WireError:
            continue
        assert set(values) == {*POSITIONS, *MEASURED}
        assert all(abs(value) < float("inf") for value in values.values())
    for message in (b"", b"[" * 60_000, b"{}", b'{"topic": "rt/lowstate", "data": []}', b'{"topic": "x", "data": {}}'):
        with pytest.raises(WireError):
            decode_state(message)


def test_messages_fit_into_what_is_read() -> None:
    longest = -1.2345678901234567e-300
    assert len(encode_command(255, [MotorCommand(longest, longest, longest)] * 29)) < MAX_BYTES / 8
    assert len(VirtualG1()._state()) < MAX_BYTES / 8
