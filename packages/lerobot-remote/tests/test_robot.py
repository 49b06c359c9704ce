"""A robot behind the wire: what it measures and is sent, and that every fault ends in its safe state."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from drivers import LONG_S, PATIENT, QUICK, Arm, command, drive_until_it_fails, driving, eventually, raw_driver
from network import Network
from websockets.sync.client import connect
from websockets.sync.server import serve as server

from lerobot.core.control.loop import ControlLoop
from lerobot.core.control.source import CallableSource
from lerobot.core.errors import ConfigError, DeviceConnectionError, DeviceError, LeRobotError
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate, stop_latch
from lerobot.core.testing.contracts.values import middle_action
from lerobot.core.types import FeatureSpec
from lerobot.remote.config import RemoteRobotConfig
from lerobot.remote.device.robot import RemoteRobot
from lerobot.remote.host.robot import RobotHost
from lerobot.remote.wire.codec import pack, unpack
from lerobot.remote.wire.handshake import OURS, Description
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.topics import COMMAND as COMMAND_TOPIC


@pytest.fixture
def arm() -> Arm:
    return Arm()


@pytest.fixture
def served(serve, arm: Arm, caplog: pytest.LogCaptureFixture):
    """Serves the arm; at the end of every test the arm is safe, the host lives and no traceback was logged."""
    caplog.set_level(logging.INFO)
    hosts = []

    def served(safety: SafetyConfig):
        hosts.append(serve(RobotHost(arm, safety, fps=50, pictures=PictureEncoder())))
        return hosts[-1]

    yield served
    assert eventually(lambda: arm.is_safe)
    assert not [host.failure for host in hosts if host.failure]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.fixture
def running(served):
    return served(QUICK)


@pytest.fixture
def patient(served):
    return served(PATIENT)


@pytest.fixture
def network(running) -> Iterator[Network]:
    with Network(running.address) as network:
        yield network


# --- measuring and moving --------------------------------------------------------------------------------------------


def test_it_is_what_the_robot_is(running, arm: Arm) -> None:
    robot = RemoteRobot(RemoteRobotConfig(address=running.address))
    assert robot.action_features == arm.action_features
    assert robot.observation_features == arm.observation_features
    assert robot.safe_state == "torque off"
    assert not arm.torque_enabled


def test_a_control_loop_drives_it_to_its_goal(patient, arm: Arm) -> None:
    goal = {key: value + 5.0 for key, value in middle_action(arm.action_features).items()}
    sent = []
    with driving(patient.address, max_age_s=LONG_S) as robot:
        gate = SafetyGate.for_robot(robot, PATIENT)
        loop = ControlLoop(robot, CallableSource(lambda _: dict(goal)), gate, fps=30)
        loop.sinks = (type("Sink", (), {"write": lambda _, tick: sent.append(tick.sent)})(),)
        loop.run(duration_s=1.5)
        measured = robot.get_observation()
        robot.enter_safe_state()
        assert arm.is_safe
    assert measured == pytest.approx(goal, abs=0.5)
    assert sent[-1] == pytest.approx(goal, abs=0.01)
    assert robot.unconfirmed < len(sent) / 2


def test_a_latched_stop_holds_the_host_whoever_commands(lerobot_home, patient, arm: Arm) -> None:
    """The client is a raw driver, without a gate of its own."""
    goal = {key: spec.range[1] for key, spec in arm.action_features.items()}
    with driving(patient.address, max_age_s=LONG_S) as robot:
        for _ in range(10):
            robot.send_action(goal)
            time.sleep(0.02)
        stop_latch().set("smoke", "the test")
        held = []
        for _ in range(20):
            robot.send_action(goal)
            time.sleep(0.02)
            held.append(arm.commands[-1])
        assert all(command == held[2] for command in held[2:]), "what was on its way came first"
        stop_latch().release("the test")
        assert eventually(lambda: robot.send_action(goal) and arm.commands[-1] != held[-1])


def test_nobody_drives_a_host_that_is_stopped(lerobot_home, patient, arm: Arm) -> None:
    stop_latch().set("smoke", "the test")
    with pytest.raises(LeRobotError, match="nothing may move"), driving(patient.address, max_age_s=LONG_S):
        pass
    assert not arm.commands


def test_what_was_sent_is_what_the_motors_got(patient, arm: Arm) -> None:
    """The host's gate ramps: what it says was sent is not what was asked for."""
    with driving(patient.address, max_age_s=LONG_S) as robot:
        far = {key: spec.range[1] for key, spec in robot.action_features.items()}
        sent = robot.send_action(far)
        assert sent in arm.commands
        assert sent != far


def test_pictures_and_times_come_along(serve) -> None:
    arm = Arm(cameras={"front": FakeCameraConfig(width=64, height=48, fps=30)})
    running = serve(RobotHost(arm, PATIENT, fps=50, pictures=PictureEncoder("png")))
    with driving(running.address, max_age_s=LONG_S) as robot:
        before = time.monotonic()
        time.sleep(0.2)
        observation = robot.get_observation()
        assert observation["front"].shape == (48, 64, 3)
        assert observation["front"].dtype == np.uint8
        assert all(before < stamp.time_s <= time.monotonic() for stamp in observation.stamps.values())
        assert observation.stamps["front"].sequence > 0
    assert eventually(lambda: arm.is_safe)


def test_times_are_converted_between_clocks_that_are_an_hour_apart() -> None:
    """A host written here, whose clock is ahead: it gets commands in its time, and its stamps are read in ours."""
    hour, stamps = 3600.0, []
    features = {of: {"j.pos": FeatureSpec(unit="deg", range=(-90.0, 90.0))} for of in ("observation", "action")}
    description = Description("robot", "ahead", features, {"fps": 30.0, "safe_state": "torque off"})

    def host(line: Any) -> None:
        line.send(pack(description.message()))
        for packed in line:
            message, now = unpack(packed), time.monotonic() + hour
            if message[OURS] == "time":
                line.send(pack({OURS: "time", "asked": message["asked"], "now": now}))
            elif message[OURS] == "begin":
                line.send(pack({OURS: "ready"}))
                line.send(pack({OURS: "observation", "values": {"j.pos": 1.0}, "stamps": {"j.pos": [now, 7, False]}}))
            elif message[OURS] == "command":
                stamps.append(message["stamp"] - now)
                line.send(pack({OURS: "sent", "number": message["number"], "values": message["values"]}))

    with server(host, "127.0.0.1", 0, compression=None) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        address = f"127.0.0.1:{listening.socket.getsockname()[1]}"
        with RemoteRobot(RemoteRobotConfig(address=address, max_age_s=LONG_S)) as robot:
            observation = robot.get_observation()
            assert robot.send_action({"j.pos": 2.0}) == {"j.pos": 2.0}
            assert robot.session.clock.offset_s == pytest.approx(hour, abs=5)
        listening.shutdown()
        thread.join()
    assert observation.stamps["j.pos"].sequence == 7
    assert abs(time.monotonic() - observation.stamps["j.pos"].time_s) < LONG_S
    assert abs(stamps[0]) < LONG_S


def test_a_new_run_begins_softly_after_another(patient, arm: Arm) -> None:
    for _ in range(2):
        with driving(patient.address, max_age_s=LONG_S) as robot:
            robot.enter_safe_state()
            assert arm.is_safe


def test_gated_robot_drives_it(running) -> None:
    robot = RemoteRobot(RemoteRobotConfig(address=running.address))
    with GatedRobot.connected(robot, QUICK) as gated:
        gated.observe()
        gated.send(middle_action(robot.action_features))


def test_a_robot_outside_of_real_time_is_not_served(arm: Arm) -> None:
    class Stopped:
        def now(self) -> float:
            return 0.0

        def sleep_until(self, deadline: float) -> None: ...

    arm.clock = Stopped()
    with pytest.raises(ConfigError, match="real time"):
        RobotHost(arm, QUICK, fps=50, pictures=PictureEncoder())


# --- faults ----------------------------------------------------------------------------------------------------------


def test_a_client_that_goes_away_leaves_a_safe_robot(patient, arm: Arm) -> None:
    with driving(patient.address):
        assert arm.torque_enabled
    assert eventually(lambda: arm.is_safe)


def test_a_client_that_falls_silent_ends_in_the_safe_state(running, arm: Arm) -> None:
    """It lives and its heart beats, but its control loop hangs."""
    with driving(running.address) as robot:
        assert eventually(lambda: robot.session.is_safe is True)
        assert arm.is_safe
        with pytest.raises(DeviceError, match="no usable command") as failure:
            robot.get_observation()
        assert "in its safe state" in str(failure.value)
        robot.enter_safe_state()


def test_a_client_that_begins_and_dies_ends_in_the_safe_state(running, arm: Arm, network: Network) -> None:
    robot = RemoteRobot(RemoteRobotConfig(address=network.address))
    robot.connect()
    network.silent = True
    assert eventually(lambda: arm.is_safe)
    robot.disconnect()


def test_a_broken_network_ends_in_the_safe_state_and_a_new_run_begins(running, arm: Arm, network: Network) -> None:
    with driving(network.address) as robot:
        network.cut()
        assert isinstance(drive_until_it_fails(robot), DeviceConnectionError)
        assert eventually(lambda: arm.is_safe)
        with pytest.raises(DeviceConnectionError, match="could not be asked"):
            robot.enter_safe_state()
    with driving(network.address):
        assert arm.torque_enabled


def test_two_seconds_of_silence_end_in_the_safe_state(running, arm: Arm, network: Network) -> None:
    with driving(network.address) as robot:
        network.silent = True
        assert "nothing new" in str(drive_until_it_fails(robot))
        assert eventually(lambda: arm.is_safe)
        network.silent = False
    with driving(network.address):
        assert arm.torque_enabled


@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_lost_messages_do_not_end_a_run(patient, arm: Arm, loss: float) -> None:
    with (
        Network(patient.address) as network,
        driving(network.address, confirm_timeout_s=0.05, max_age_s=LONG_S) as robot,
    ):
        network.loss = loss
        goal = middle_action(robot.action_features)
        for _ in range(40):
            robot.get_observation()
            robot.send_action(goal)
        assert arm.torque_enabled
        network.loss = 0.0
        robot.enter_safe_state()
        assert arm.is_safe


def test_a_second_client_is_refused_and_the_first_drives_on(patient, arm: Arm) -> None:
    with driving(patient.address, max_age_s=LONG_S) as first:
        second = RemoteRobot(RemoteRobotConfig(address=patient.address))
        with pytest.raises(LeRobotError, match="is driven by"):
            second.connect()
        second.disconnect()
        first.send_action(middle_action(first.action_features))
        assert arm.torque_enabled


def test_a_stopped_host_ends_the_run(serve, arm: Arm) -> None:
    running = serve(RobotHost(arm, PATIENT, fps=50, pictures=PictureEncoder()))
    with driving(running.address) as robot:
        running._stop.set()
        assert "the host was stopped" in str(drive_until_it_fails(robot))
        assert arm.is_safe


def test_a_robot_that_breaks_ends_the_run_and_says_why(serve, caplog) -> None:
    arm = Arm(fails_after=20)
    running = serve(RobotHost(arm, QUICK, fps=50, pictures=PictureEncoder()))
    with driving(running.address) as robot:
        assert "observation 20 failed" in str(drive_until_it_fails(robot))
        assert eventually(lambda: arm.is_safe)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_robot_that_cannot_be_made_safe_ends_the_host(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    arm = Arm()

    def broken() -> None:
        raise DeviceError("the bus is gone")

    monkeypatch.setattr(arm, "enter_safe_state", broken)
    running = serve(RobotHost(arm, QUICK, fps=50, pictures=PictureEncoder()))
    with driving(running.address) as robot, pytest.raises(LeRobotError, match="could not bring it"):
        robot.enter_safe_state()
    assert eventually(lambda: running.failure is not None)
    assert "may not be in its safe state" in str(running.failure)


# --- clients that are not ours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xc1\xc1",
        "text",
        pack([1, 2]),
        pack({OURS: "fly"}),
        pack({OURS: 7}),
        pack({OURS: COMMAND_TOPIC}),
        pack(command("up")),
        pack(command({}, number="one")),
        pack(command({}, stamp=None)),
        pack({OURS: "time"}),
    ],
    ids=["bytes", "text", "list", "topic", "number", "empty", "no map", "no number", "no stamp", "no time"],
)
def test_nonsense_ends_in_the_safe_state(patient, arm: Arm, nonsense: Any) -> None:
    with raw_driver(patient.address) as (line, goal):
        line.send(pack(command(goal)))
        assert eventually(lambda: bool(arm.commands))
        line.send(nonsense)
        assert eventually(lambda: arm.is_safe)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "up", None, [1.0], np.ones(3)])
def test_values_that_are_no_numbers_move_nothing(running, arm: Arm, value: Any) -> None:
    with raw_driver(running.address) as (line, goal):
        line.send(pack(command(dict.fromkeys(goal, value))))
        assert eventually(lambda: arm.is_safe and bool(arm.commands))
    still = arm.commands[0]
    assert all(sent == pytest.approx(still) for sent in arm.commands)


@pytest.mark.parametrize("off_s", [-3600.0, 3600.0])
def test_a_client_whose_clock_is_an_hour_off_moves_nothing(running, arm: Arm, off_s: float) -> None:
    with raw_driver(running.address) as (line, goal):
        far = {key: value + 20 for key, value in goal.items()}
        line.send(pack(command(far, stamp=time.monotonic() + off_s)))
        assert eventually(lambda: arm.is_safe and bool(arm.commands))
    assert all(sent == pytest.approx(arm.commands[0]) for sent in arm.commands)


def test_half_a_message_ends_in_the_safe_state(running, arm: Arm) -> None:
    with raw_driver(running.address) as (line, goal):
        line.send(pack(command(goal)))
        assert eventually(lambda: bool(arm.commands))
        # The head of a masked binary frame of 100 bytes, and ten of them.
        line.socket.sendall(bytes([0x82, 0x80 | 100]) + b"mask" + b"\0" * 10)
        assert eventually(lambda: arm.is_safe)


def test_a_broken_frame_ends_in_the_safe_state(patient, arm: Arm) -> None:
    with raw_driver(patient.address) as (line, goal):
        line.send(pack(command(goal)))
        assert eventually(lambda: bool(arm.commands))
        line.socket.sendall(b"\xff" * 64)
        assert eventually(lambda: arm.is_safe)


@pytest.mark.parametrize(
    "changes",
    [{"wire": 2}, {"plugin_api": 99}, {"kind": "policy"}, {"digest": "0" * 32}, {OURS: "start"}, {"wire": "1"}],
)
def test_who_begins_with_something_else_moves_nothing(running, arm: Arm, changes: dict[str, Any]) -> None:
    digest = RemoteRobot(RemoteRobotConfig(address=running.address)).description.digest
    with connect(running.address, compression=None) as line:
        line.recv()
        line.send(pack({OURS: "begin", "wire": 1, "plugin_api": 1, "kind": "robot", "digest": digest} | changes))
        assert isinstance(line.recv(LONG_S), str)
    assert arm.is_safe
    assert not arm.log


def test_what_is_no_websocket_is_turned_away(running, arm: Arm) -> None:
    host, port = running.address.removeprefix("ws://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"EHLO there\r\n\r\n")
        line.settimeout(LONG_S)
        while line.recv(4096):
            pass
    assert not arm.log
