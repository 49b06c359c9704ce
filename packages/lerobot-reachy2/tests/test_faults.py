"""What goes wrong on a network: it is cut, slow, full of nonsense, or somebody else is on it."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from reachy2_sdk_api import reachy_pb2

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.reachy2.body import Body
from lerobot.reachy2.config import Reachy2Config, Reachy2TeleoperatorConfig
from lerobot.reachy2.joints import BASE_RANGES
from lerobot.reachy2.robot import Reachy2
from lerobot.reachy2.teleoperator import Reachy2Teleoperator
from lerobot.reachy2.virtual import DESCRIPTION, VirtualReachy
from lerobot.reachy2.virtual_body import goal_of

DRIVE = {"r_elbow_pitch.pos": -90.0, "mobile_base.vx": 0.2}


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def test_a_wire_that_is_cut_in_motion(
    reachy: VirtualReachy, built: Callable[..., Reachy2], caplog: pytest.LogCaptureFixture
) -> None:
    robot = built(reachy, max_age_s=1.0)
    ports = reachy.port, reachy.video_port

    def drive_until_it_is_cut() -> None:
        begin = time.monotonic()
        with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0)) as gated:
            pose = {key: gated.observe()[key] for key in robot.action_features}
            while time.monotonic() - begin < 60:
                gated.observe()
                gated.send({**pose, **DRIVE})
                if reachy.body.velocity[0] > 0.1:
                    reachy.stop()

    with pytest.raises(DeviceError) as caught:
        drive_until_it_is_cut()
    assert isinstance(caught.value, DeviceConnectionError | DeviceTimeoutError)
    assert "reachy2" in caught.value.what
    assert "may not be in its safe state" in caught.value.__notes__[0]
    until(lambda: reachy.body.velocity == (0.0, 0.0, 0.0))
    assert len([record for record in caplog.records if "More of this kind is not told" in record.message]) <= 1
    assert not robot.is_connected
    with VirtualReachy(*ports), built(reachy) as again:
        again.send_action(DRIVE)


def test_a_server_that_comes_back_is_read_again_and_not_driven_blindly(
    reachy: VirtualReachy, built: Callable[..., Reachy2]
) -> None:
    with built(reachy, max_age_s=1.0) as robot:
        ports = reachy.port, reachy.video_port
        reachy.stop()
        with pytest.raises(DeviceTimeoutError, match="sent nothing new for"):
            watch(robot)
        with pytest.raises(DeviceConnectionError, match=r"cannot be reached at 127\.0\.0\.1"):
            robot._watch.body.send({"neck_yaw.pos": 1.0})
        with VirtualReachy(*ports):
            until(lambda: is_fresh(robot))
            with pytest.raises(DeviceError, match="is switched off") as caught:  # it was started anew
                robot.send_action(DRIVE)
            assert "connect anew" in caught.value.hint


def watch(robot: Reachy2) -> None:
    """Look until there is nothing to see."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert abs(robot.get_observation()["neck_yaw.pos"]) < 1


def is_fresh(robot: Reachy2) -> bool:
    try:
        robot.get_observation()
    except DeviceTimeoutError:
        return False
    return True


def test_an_emergency_stop_ends_the_run(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    with built(reachy) as robot:
        robot.send_action(DRIVE)
        with reachy.body.lock:
            for joint in reachy.body.of_group("r_arm"):
                joint.compliant = True
        until(lambda: bool(robot._watch.latest().value.compliant))
        reachy.asked.clear()
        with pytest.raises(
            DeviceError, match=r"r_arm\.elbow, r_arm\.shoulder, r_arm\.wrist of reachy2 is switched off"
        ):
            robot.send_action(DRIVE)
        assert not reachy.asked


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_a_clock_that_is_an_hour_off_changes_nothing(ahead_s: float, built: Callable[..., Reachy2]) -> None:
    with VirtualReachy(clock_ahead_s=ahead_s) as reachy, built(reachy, with_torso_camera=True) as robot:
        begin = time.monotonic()
        while robot.get_observation().stamps["torso_rgb"].time_s < begin:
            robot.send_action({"neck_yaw.pos": 5.0})
        stamps = robot.get_observation().stamps.values()
        assert all(begin - 20 < stamp.time_s <= time.monotonic() for stamp in stamps)


def test_answers_that_are_slow_are_old(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    slow = threading.Event()
    reachy.before = lambda method: method == "GetReachyState" and slow.is_set() and time.sleep(1.5)
    with built(reachy, max_age_s=1.0) as robot:
        slow.set()
        with pytest.raises(DeviceTimeoutError, match="sent nothing new for"):
            watch(robot)
        slow.clear()
        until(lambda: is_fresh(robot))
        slow.set()
        with pytest.raises(DeviceTimeoutError, match=r"did not answer ReachyId within 1 s"):
            robot.enter_safe_state()


def test_a_command_that_is_not_answered_is_an_error(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    with built(reachy, max_age_s=1.0) as robot:
        reachy.before = lambda method: method == "SendComponentsCommands" and time.sleep(1.5)
        with pytest.raises(DeviceTimeoutError, match="did not answer ReachyComponentsCommands within 1 s"):
            robot.send_action(DRIVE)
        reachy.before = lambda method: None


def test_nonsense_is_told_once_and_never_given_out(
    reachy: VirtualReachy, built: Callable[..., Reachy2], caplog: pytest.LogCaptureFixture
) -> None:
    broken = threading.Event()

    def nonsense(method: str, reply: Any) -> Any:
        if method == "GetReachyState" and broken.is_set():
            reply.head_state.neck_state.present_position.rpy.yaw.value = float("nan")
        return reply

    reachy.after = nonsense
    with built(reachy, max_age_s=1.0) as robot:
        broken.set()
        with pytest.raises(DeviceTimeoutError, match="sent nothing new for"):
            watch(robot)
        broken.clear()
        until(lambda: is_fresh(robot))
    told = [record.message for record in caplog.records if "neck_yaw.pos has no present position" in record.message]
    assert len(told) == 1


def test_a_robot_that_talks_nonsense_from_the_beginning_is_refused(
    reachy: VirtualReachy, built: Callable[..., Reachy2]
) -> None:
    def nonsense(method: str, reply: Any) -> Any:
        if method == "GetOdometry":
            reply.ClearField("vy")
        return reply

    reachy.after = nonsense
    with pytest.raises(DeviceConnectionError, match=r"what reachy2 measures is of no use: mobile_base\.vy is nan"):
        built(reachy).connect()


@contextmanager
def answering(**answers: bytes) -> Iterator[int]:
    """A server whose answers are these bytes; its port."""
    handlers = {
        method: grpc.unary_unary_rpc_method_handler(lambda _request, _context, data=data: data)
        for method, data in answers.items()
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("reachy.ReachyService", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(grace=None).wait()


def test_bytes_that_are_no_message_are_refused() -> None:
    description = ParseDict(DESCRIPTION, reachy_pb2.Reachy()).SerializeToString()
    config = Reachy2Config(with_mobile_base=False)
    with answering(GetReachy=description, GetReachyState=b"\xff" * 50) as port:
        body = Body("reachy2", f"127.0.0.1:{port}", config.joints, with_base=False, answer_s=20.0)
        body.open(30.0)
        with pytest.raises(DeviceError, match="reachy2 refused ReachyId: INTERNAL"):
            body.read(with_commanded_base=False)
        with pytest.raises(DeviceError, match="reachy2 refused ReachyComponentsCommands: UNIMPLEMENTED"):
            body.send({"neck_yaw.pos": 1.0})
        body.close()


def test_a_port_where_something_else_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def chatter() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.sendall(random.Random(3).randbytes(500))

        thread = threading.Thread(target=chatter)
        thread.start()
        robot = Reachy2(Reachy2Config(ip_address="127.0.0.1", sdk_port=port, connect_timeout_s=0.5))
        with pytest.raises(DeviceConnectionError, match=f"reachy2 cannot be reached at 127.0.0.1:{port}"):
            robot.connect()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert not robot.is_connected


def test_a_second_client_disturbs_nothing(reachy: VirtualReachy, built: Callable[..., Reachy2]) -> None:
    where = {"ip_address": "127.0.0.1", "sdk_port": reachy.port, "max_age_s": 20.0, "connect_timeout_s": 30.0}
    with built(reachy) as first:
        first.send_action(DRIVE)
        with Reachy2Config.model_validate(where).build() as second:
            second.send_action({"r_elbow_pitch.pos": -20.0})
            until(lambda: abs(first.get_observation()["r_elbow_pitch.pos"] + 20.0) < 0.1)
        first.send_action(DRIVE)
        until(lambda: abs(first.get_observation()["r_elbow_pitch.pos"] + 90.0) < 0.1)
        with Reachy2Teleoperator(Reachy2TeleoperatorConfig(**where)) as reader:
            assert reader.get_action()["r_elbow_pitch.pos"] == pytest.approx(-90.0, abs=1e-4)
        assert first.is_connected


# --- hostile actions -------------------------------------------------------------------------------------------------


def hostile(rng: random.Random, keys: list[str]) -> object:
    numbers = [0, -1, 1e308, -1e308, float("nan"), float("inf"), 1e-320, 10**400, "1", None, True, [1.0], {"a": 1}]
    match rng.randrange(6):
        case 0:
            return rng.choice([None, 3, "action", [1.0], {}])
        case 1:
            return {key: rng.choice(numbers) for key in keys}
        case 2:
            return {rng.choice(keys): rng.choice(numbers), "torso.pos": 1.0}
        case 3:
            return {key: rng.uniform(-1, 1) * 10 ** rng.randrange(12) for key in keys}
        case _:
            return {key: rng.uniform(-200, 200) for key in keys}


@pytest.mark.parametrize("count", [400, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])])
def test_hostile_actions_move_nothing_beyond_its_limits(
    reachy: VirtualReachy, built: Callable[..., Reachy2], count: int
) -> None:
    """Every command that goes over the wire is looked at, and the pose that is measured too."""
    rng, seen = random.Random(7), dict.fromkeys(BASE_RANGES, 0)
    robot = built(reachy)
    slack = 1e-4  # the wire is float32
    with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0, stop_after_s=3600)) as gated:
        reachy.asked.clear()
        for number in range(1, count + 1):
            measured = gated.observe()
            gated.send(hostile(rng, list(robot.action_features)))
            for joint in robot.config.joints:
                assert joint.range[0] - slack <= measured[joint.key] <= joint.range[1] + slack
            if number % 100:
                continue
            for method, message in reachy.asked:
                if method == "SendComponentsCommands":
                    for joint in robot.config.joints:
                        goal = goal_of(message, joint)
                        assert goal is not None
                        assert joint.range[0] - slack <= goal * 57.29577951308232 <= joint.range[1] + slack
                        seen[joint.key] = seen.get(joint.key, 0) + 1
                elif method == "SendDirection":
                    speeds = message.direction.x.value, message.direction.y.value, message.direction.theta.value
                    for (key, (low, high)), speed in zip(BASE_RANGES.items(), speeds, strict=True):
                        degrees = speed * 57.29577951308232 if key.endswith("theta") else speed
                        assert low - slack <= degrees <= high + slack
                        seen[key] += 1
                else:
                    assert method == "SetZuuuMode"
            reachy.asked.clear()
    assert set(seen.values()) == {count}
