"""What is particular to a G1: gains with every command, a bridge that never lets go, and what there is not here."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.unitree_g1 import robot as robot_module
from lerobot.unitree_g1.config import UnitreeG1Config
from lerobot.unitree_g1.joints import JOINTS, MEASURED, POSITIONS
from lerobot.unitree_g1.robot import UnitreeG1
from lerobot.unitree_g1.virtual import VirtualG1

ELBOW = {"kLeftElbow.q": 0.7}
KP, KD = [joint.kp for joint in JOINTS], [joint.kd for joint in JOINTS]


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def stiffness(g1: VirtualG1) -> list[float]:
    return [told.kp for told in g1.told()]


def damping(g1: VirtualG1) -> list[float]:
    return [told.kd for told in g1.told()]


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config: Any = registry.config_class("robot", "unitree_g1")()
    own = {"type", "command_port", "state_port", "measured", "disable_torque_on_disconnect"}
    own |= {"command_timeout_s", "connect_timeout_s", "max_age_s"}
    wrist, leg = [40, 40, 40], [150, 150, 150, 300, 40, 40]
    assert config.model_dump(exclude=own) == {
        "id": None,
        "calibration_dir": None,
        "kp": [*leg, *leg, 250, 250, 250, 50, 50, 80, 80, *wrist, 50, 50, 80, 80, *wrist],
        "kd": [2, 2, 2, 4, 2, 2] * 2 + [5, 5, 5] + [3, 3, 3, 3, 1.5, 1.5, 1.5] * 2,
        "default_positions": [0.0] * 29,
        "control_dt": 0.004,
        "is_simulation": True,
        "robot_ip": "192.168.123.164",
        "cameras": {},
        "gravity_compensation": False,
        "controller": None,
    }
    assert len(POSITIONS) == 29
    assert len(MEASURED) == 58 + 13


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "cannot have is_simulation=True"),
        ({"is_simulation": False, "controller": "GrootLocomotionController"}, "controller=GrootLocomotionController"),
        ({"is_simulation": False, "gravity_compensation": True}, "gravity_compensation=True"),
    ],
)
def test_what_there_is_not_here_is_said_by_name(fields: Mapping[str, Any], said: str) -> None:
    with pytest.raises(DeviceError, match=said) as caught:
        UnitreeG1Config(**fields).build()
    assert "Hub" in caught.value.expected


@pytest.mark.parametrize("fields", [{"kp": [1.0] * 28}, {"kd": [-1.0] * 29}, {"kp": [1e4] * 29}])
def test_gains_that_are_none_are_refused(fields: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UnitreeG1Config(**fields)


def test_nothing_is_sent_before_the_first_command(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1, command_timeout_s=0.05) as robot:
        robot.get_observation()
        time.sleep(0.2)
        assert not g1.commands


def test_joints_go_where_they_are_told_and_the_others_stay(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    g1.q[0] = 0.4
    with built(g1, measured="all") as robot:
        until(lambda: robot.send_action(ELBOW) == ELBOW and abs(g1.q[18] - 0.7) < 0.01 and abs(g1.dq[18]) < 0.01)
        until(lambda: abs(robot.get_observation()["kLeftElbow.q"] - 0.7) < 0.01)
        assert (stiffness(g1), damping(g1)) == (KP, KD)
        assert g1.q[0] == pytest.approx(0.4)
        assert list(robot.get_observation()) == list(robot.observation_features)
        robot.send_action({"kWaistYaw.q": 0.2})
        until(lambda: abs(g1.q[12] - 0.2) < 0.01)
        assert g1.q[18] == pytest.approx(0.7, abs=0.01), "a joint that is left out keeps its target"


def test_targets_are_held_inside_the_limits(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1) as robot:
        assert robot.send_action({"kLeftKnee.q": -3.0, "kRightShoulderRoll.q": 9.0}) == {
            "kLeftKnee.q": -0.087267,
            "kRightShoulderRoll.q": 1.5882,
        }


@pytest.mark.parametrize("action", [{"kLeftElbow.q": float("nan")}, {"kLeftElbow.pos": 1.0}, {"remote.lx": 0.1}])
def test_of_an_action_that_is_refused_nothing_is_sent(
    g1: VirtualG1, built: Callable[..., UnitreeG1], action: dict[str, float]
) -> None:
    with built(g1) as robot:
        with pytest.raises(FeatureMismatchError):
            robot.send_action({"kRightElbow.q": 0.1, **action})
        time.sleep(0.05)
        assert not g1.commands
        robot.send_action(ELBOW)
        until(lambda: bool(g1.commands))
        assert g1.told()[25].q == 0.0, "nor kept for the next one"


def test_a_silent_commander_is_damped_and_taken_up_softly(
    g1: VirtualG1, built: Callable[..., UnitreeG1], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robot_module, "STIFFEN_S", 5.0)
    with built(g1, command_timeout_s=0.3) as robot:
        robot.send_action(ELBOW)
        until(lambda: stiffness(g1) == KP)
        until(lambda: stiffness(g1) == [0.0] * 29)
        assert damping(g1) == KD
        robot.send_action(ELBOW)
        until(lambda: stiffness(g1) != [0.0] * 29 or len(g1.commands) > 2)
        assert all(0 <= now < 0.5 * full for now, full in zip(stiffness(g1), KP, strict=True))
        monkeypatch.setattr(robot_module, "STIFFEN_S", 0.01)
        until(lambda: bool(robot.send_action(ELBOW)) and stiffness(g1) == KP)


@pytest.mark.parametrize(("limp", "expected"), [(False, KD), (True, [0.0] * 29)])
def test_it_ends_damped_or_limp_where_that_is_wanted(
    g1: VirtualG1, built: Callable[..., UnitreeG1], limp: bool, expected: list[float]
) -> None:
    with built(g1, disable_torque_on_disconnect=limp) as robot:
        robot.send_action(ELBOW)
        robot.enter_safe_state()
    until(lambda: stiffness(g1) == [0.0] * 29 and damping(g1) == expected)


# --- faults ----------------------------------------------------------------------------------------------------------


def test_a_bridge_that_is_not_there_is_named() -> None:
    robot = UnitreeG1(UnitreeG1Config(is_simulation=False, robot_ip="127.0.0.1", state_port=9, connect_timeout_s=0.1))
    with pytest.raises(DeviceConnectionError, match=r"no state came from 127\.0\.0\.1:9 within 0\.1 s") as caught:
        robot.connect()
    assert "run_g1_server.py" in caught.value.hint
    assert not robot.is_connected


def test_what_is_of_no_use_is_named(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    g1.mangle = lambda state: state.replace(b"motor_state", b"motors")
    with pytest.raises(DeviceConnectionError, match="sends is of no use: a state has no motors"):
        built(g1, connect_timeout_s=0.5).connect()


def test_a_wire_that_is_cut_in_motion(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1, max_age_s=0.5) as robot:
        robot.send_action(ELBOW)
        until(lambda: bool(g1.commands))
        ports = g1.command_port, g1.state_port
        g1.stop()
        with pytest.raises(DeviceTimeoutError, match="sent nothing new for"):
            watch(robot)
        with pytest.raises(DeviceTimeoutError):
            robot.send_action(ELBOW)
        with pytest.raises(DeviceConnectionError, match="is silent: whether it heard") as caught:
            robot.enter_safe_state()
        assert "cut its power" in caught.value.hint
        with VirtualG1(*ports) as again:
            until(lambda: bool(again.commands))  # it waited for the bridge
            assert stiffness(again) == [0.0] * 29
            until(lambda: is_fresh(robot))


def watch(robot: UnitreeG1) -> None:
    """Look until there is nothing to see."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        robot.get_observation()


def is_fresh(robot: UnitreeG1) -> bool:
    try:
        robot.get_observation()
    except DeviceTimeoutError:
        return False
    return True


def test_garbage_between_states_is_told_once_and_never_given_out(
    g1: VirtualG1, built: Callable[..., UnitreeG1], caplog: pytest.LogCaptureFixture
) -> None:
    count = 0

    def every_second(state: bytes) -> bytes:
        nonlocal count
        count += 1
        return state if count % 2 else re.sub(rb'"q": [^,]+', b'"q": NaN', state)

    g1.mangle = every_second
    with built(g1) as robot:
        numbers = set()
        while len(numbers) < 20:
            observation = robot.get_observation()
            numbers.add(observation.stamps["kWaistYaw.q"].sequence)
            assert observation["kLeftHipPitch.q"] == 0.0
    assert len([record for record in caplog.records if "kLeftHipPitch.q is nan" in record.message]) == 1


def test_states_that_come_slowly_are_old(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1, max_age_s=0.2) as robot:
        sent = time.monotonic()

        def slow(state: bytes) -> bytes:
            nonlocal sent
            if time.monotonic() - sent < 0.6:
                return b""
            sent = time.monotonic()
            return state

        g1.mangle = slow
        with pytest.raises(DeviceTimeoutError):
            watch(robot)
        until(lambda: is_fresh(robot))


def test_a_message_that_is_too_long_is_not_read(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1, max_age_s=0.5) as robot:
        g1.mangle = lambda state: state + b" " * 1_000_000
        with pytest.raises(DeviceTimeoutError):
            watch(robot)


def test_a_clock_on_the_wire_is_nobodys(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    """The bridge says no time; one that another version says, an hour off, changes nothing."""
    g1.mangle = lambda state: state.replace(b'"data": {', b'"data": {"timestamp": %f, ' % (time.time() + 3600))
    with built(g1) as robot:
        begin = time.monotonic()
        until(lambda: robot.get_observation().stamps["kWaistYaw.q"].time_s > begin)
        assert robot.get_observation().stamps["kWaistYaw.q"].time_s <= time.monotonic()


def test_another_robot_behind_the_same_address_is_not_driven(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1) as robot:
        g1.mode_machine = 6
        until(lambda: robot._receiver.newest.latest().value.mode_machine == 6)
        with pytest.raises(DeviceError, match="mode_machine 6 instead of 5"):
            robot.send_action(ELBOW)


def test_a_second_client_reads_and_the_last_command_counts(g1: VirtualG1, built: Callable[..., UnitreeG1]) -> None:
    with built(g1) as first, built(g1) as second:
        first.send_action(ELBOW)
        until(lambda: abs(second.get_observation()["kLeftElbow.q"] - 0.7) < 0.01)
        second.send_action({"kLeftElbow.q": 0.1})
        until(lambda: abs(first.get_observation()["kLeftElbow.q"] - 0.1) < 0.01)
        second.disconnect()
        first.send_action(ELBOW)
        until(lambda: abs(first.get_observation()["kLeftElbow.q"] - 0.7) < 0.01)
