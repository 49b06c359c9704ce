"""The host: what it does with commands, with silence, and with everything else that may come."""

import json
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zmq
from pydantic import ValidationError

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.registry import registry
from lerobot.core.safety import GatedRobot, SafetyConfig, stop_latch
from lerobot.core.types import Observation
from lerobot.feetech.tables import STS_SMS
from lerobot.feetech.virtual import FeetechServo
from lerobot.lekiwi.commands.lekiwi_host import HostOptions, LeKiwiHostConfig
from lerobot.lekiwi.config import LeKiwiConfig
from lerobot.lekiwi.host import Host
from lerobot.lekiwi.keys import ARM_JOINTS, STATE_KEYS
from lerobot.lekiwi.messages import decode_command
from lerobot.lekiwi.robot import LeKiwi
from lerobot.lekiwi.sockets import HostSockets
from lerobot.motors.virtual import VirtualBus
from lerobot.remote.wire.errors import WireError

SYNC_WRITE = 0x83
WHEELS, ALL = (7, 8, 9), range(1, 10)
DRIVE = {**{f"{joint}.pos": 0.0 for joint in ARM_JOINTS}, "arm_gripper.pos": 50.0, "theta.vel": 60.0}


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.002)


def goals(line: VirtualBus) -> list[float]:
    return [line.state(i)["Goal_Velocity"] for i in WHEELS]


def torque(line: VirtualBus) -> list[float]:
    return [line.state(i)["Torque_Enable"] for i in ALL]


class Sender:
    """Somebody who can reach the port of commands."""

    def __init__(self, port: int) -> None:
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.PUSH)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._context.destroy(linger=0)

    def send(self, command: dict[str, Any]) -> None:
        self.socket.send(json.dumps(command).encode())


def test_the_base_stops_and_the_arm_is_released_when_commands_stop(
    start: Callable[..., VirtualBus], host: Callable[..., Any], ports: tuple[int, int]
) -> None:
    line = start("lekiwi")
    with host(line) as running, Sender(ports[0]) as sender:
        assert torque(line) == [1] * 9, "it holds its pose until somebody commands"
        drive_until(sender, lambda: all(goal > 500 for goal in goals(line)))
        until(lambda: goals(line) == [0, 0, 0])
        until(lambda: torque(line) == [0] * 9)
        drive_until(sender, lambda: all(goal > 500 for goal in goals(line)))
        assert torque(line) == [1] * 9, "the next command takes it up again"
    assert running.failure is None
    assert torque(line) == [0] * 9
    assert goals(line) == [0, 0, 0]


def drive_until(sender: Sender, condition: Callable[[], bool], command: dict[str, float] = DRIVE) -> None:
    def sent() -> bool:
        sender.send(command)
        return condition()

    until(sent)


def test_a_robot_out_of_its_limits_is_not_taken_up_again_by_those_who_go_on(
    start: Callable[..., VirtualBus], host: Callable[..., Any], ports: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = start("lekiwi")
    with host(line, watchdog_s=0.3) as running, Sender(ports[0]) as sender:
        taken_up: list[float] = []
        monkeypatch.setattr(
            running.robot.bus, "enable_torque", lambda *_args, **_kwargs: taken_up.append(time.monotonic())
        )
        drive_until(sender, lambda: all(goal > 500 for goal in goals(line)))
        until(lambda: torque(line) == [0] * 9)
        monkeypatch.setattr(
            "lerobot.core.safety.gate.OUTSIDE_TOLERANCE", -10.0
        )  # wherever it is now, that is far outside
        begin = time.monotonic()
        drive_until(sender, lambda: time.monotonic() - begin > 0.5)
        assert len(taken_up) == 1
    assert running.failure is None


def test_a_command_without_the_arm_leaves_it_where_it_is(
    start: Callable[..., VirtualBus], host: Callable[..., Any], ports: tuple[int, int]
) -> None:
    line = start("lekiwi")
    with host(line) as running, Sender(ports[0]) as sender:
        drive_until(sender, lambda: all(goal > 500 for goal in goals(line)), {"theta.vel": 60.0})
        before = [line.state(i)["Goal_Position"] for i in range(1, 7)]
        begin = time.monotonic()
        drive_until(sender, lambda: time.monotonic() - begin > 0.5, {"theta.vel": 60.0})
        assert [line.state(i)["Goal_Position"] for i in range(1, 7)] == before
    assert running.failure is None


class Asking:
    """A commander who asks for the same at every tick.

    Attributes:
        command: what is asked for.
    """

    def __init__(self) -> None:
        self.command: dict[str, float] | None = DRIVE

    def newest_command(self) -> dict[str, float] | None:
        return self.command

    def publish(self, _observation: Mapping[str, Any]) -> None: ...


def test_a_latched_stop_holds_whoever_commands(
    start: Callable[..., VirtualBus], calibrations: Path, lerobot_home: Path
) -> None:
    """Wheels stand and the arm stays; a robot that was released gets no power; after the release both go on."""
    line, asking = start("lekiwi"), Asking()
    robot: Any = LeKiwi(LeKiwiConfig(port=line.port, id="kiwi", calibration_dir=calibrations, cameras={}))
    with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0, stop_after_s=0.5)) as gated:
        host = Host(robot, gated, asking, watchdog_s=0.1)

        def ticked(condition: Callable[[], bool]) -> bool:
            host.tick()
            return condition()

        until(lambda: ticked(lambda: all(goal > 500 for goal in goals(line))))
        stop_latch().set("smoke", "the test")
        host.tick()
        assert goals(line) == [0, 0, 0]
        arm = [line.state(i)["Goal_Position"] for i in range(1, 7)]
        for _ in range(20):
            asking.command = {**DRIVE, "arm_shoulder_pan.pos": 40.0}
            host.tick()
            assert goals(line) == [0, 0, 0]
            assert [line.state(i)["Goal_Position"] for i in range(1, 7)] == arm
        stop_latch().release("the test")
        until(lambda: ticked(lambda: all(goal > 500 for goal in goals(line))))
        asking.command = None
        until(lambda: ticked(lambda: torque(line) == [0] * 9))
        stop_latch().set("smoke", "the test")
        time.sleep(0.15)  # longer than the watchdog waits: a newcomer
        asking.command = DRIVE
        for _ in range(5):
            host.tick()
            assert torque(line) == [0] * 9
        stop_latch().release("the test")
        until(lambda: ticked(lambda: all(goal > 500 for goal in goals(line))))
        assert torque(line) == [1] * 9


def test_who_listens_beyond_this_computer_says_so() -> None:
    with pytest.raises(ValidationError, match="allow_anybody=true as well"):
        HostOptions(bind="0.0.0.0")
    assert HostOptions(bind="0.0.0.0", allow_anybody=True).bind == "0.0.0.0"


def test_flags_and_defaults_are_the_documented_ones() -> None:
    config = registry.config_class("command", "lekiwi-host")()
    assert isinstance(config, LeKiwiHostConfig)
    assert config.host.model_dump() == {
        "bind": "127.0.0.1",
        "allow_anybody": False,
        "port_zmq_cmd": 5555,
        "port_zmq_observations": 5556,
        "connection_time_s": None,
        "watchdog_timeout_ms": 500,
        "max_loop_freq_hz": 30,
    }


def test_a_port_in_use_is_named(ports: tuple[int, int]) -> None:
    options = HostOptions(port_zmq_cmd=ports[0], port_zmq_observations=ports[1])
    with HostSockets(options, []), pytest.raises(DeviceConnectionError, match=f":{ports[0]}: Address already in use"):
        HostSockets(options, []).__enter__()


# --- hostile messages ------------------------------------------------------------------------------------------------


def hostile(rng: random.Random) -> list[bytes]:
    """A message of one or several frames that nobody friendly would send."""
    numbers = [0, -1, 1e308, -1e308, float("nan"), float("inf"), 1e-320, 10**400, "1", None, True, [1.0], {"a": 1}]
    match rng.randrange(8):
        case 0:
            return [rng.randbytes(rng.randrange(200))]
        case 1:
            return [json.dumps({key: rng.choice(numbers) for key in STATE_KEYS}).encode()]
        case 2:
            return [json.dumps({key: rng.uniform(-1, 1) * 10 ** rng.randrange(12) for key in STATE_KEYS}).encode()]
        case 3:
            return [json.dumps({rng.choice(STATE_KEYS): rng.choice(numbers)}).encode()]
        case 4:
            return [json.dumps(DRIVE).encode()[: rng.randrange(100)]]
        case 5:
            return [json.dumps(DRIVE).encode(), rng.randbytes(10), b""]
        case 6:
            return [b"[" * rng.randrange(1, 50_000)]
        case _:
            return [b"{" + b'"x.vel":' * rng.randrange(5) + b"9" * rng.randrange(1, 6000) + b"}"]


class Script:
    """A commander whose messages come one per tick.

    Attributes:
        refused: how many were no commands.
        published: how many observations were given.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.refused = self.published = 0

    def newest_command(self) -> dict[str, float] | None:
        try:
            return decode_command(hostile(self._rng)[-1])
        except WireError:
            self.refused += 1
            return None

    def publish(self, _observation: Mapping[str, Any]) -> None:
        self.published += 1


def goals_of(packets: list[bytes]) -> Iterator[tuple[int, int, int]]:
    """Motor, address and content of what was written to all motors at once."""
    for packet in packets:
        instruction = FeetechServo.framing.take(bytearray(packet))
        assert instruction is not None
        if instruction.code == SYNC_WRITE:
            address, length, data = instruction.parameters[0], instruction.parameters[1], instruction.parameters[2:]
            for entry in range(0, len(data), length + 1):
                yield data[entry], address, int.from_bytes(data[entry + 1 : entry + 1 + length], "little")


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(2400)])])
def test_hostile_messages_move_nothing_beyond_its_limits(
    start: Callable[..., VirtualBus], calibrations: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message per tick; every goal that goes over the line is looked at. The quick one reads the motors once."""
    line, script = start("lekiwi"), Script(random.Random(7))
    limits = {servo.id: servo.registers for servo in line.spec.servos}
    robot: Any = LeKiwi(LeKiwiConfig(port=line.port, id="kiwi", calibration_dir=calibrations, cameras={}))
    seen: dict[int, set[int]] = {i: set() for i in ALL}
    with GatedRobot.connected(robot, SafetyConfig(ramp_s=0.0, stop_after_s=3600)) as gated:
        host = Host(robot, gated, script, watchdog_s=3600)
        # The servos share two cores with whatever else runs: what is late in a hundred thousand ticks is no fault here.
        robot.bus.set_timeout(1000)
        line.packets()
        if count < 100_000:
            measured = robot.get_observation()
            monkeypatch.setattr(robot, "get_observation", lambda: Observation(measured))
        for number in range(1, count + 1):
            host.tick()
            if number % 100 == 0:
                for motor, address, content in goals_of(line.packets()):
                    seen[motor].add(content)
                    if motor in WHEELS:
                        assert address == STS_SMS["Goal_Velocity"][0]
                        assert content & 0x7FFF <= 3000
                    else:
                        assert address == STS_SMS["Goal_Position"][0]
                        registers = limits[motor]
                        assert registers["Min_Position_Limit"] <= content <= registers["Max_Position_Limit"]
    assert 0.3 * count < script.refused < 0.9 * count
    assert script.published == count
    assert all(len(contents) > 20 for contents in seen.values()), "nothing was driven"


def test_a_flood_of_hostile_messages_ends_no_host(
    start: Callable[..., VirtualBus], host: Callable[..., Any], ports: tuple[int, int]
) -> None:
    line, rng = start("lekiwi"), random.Random(8)
    with host(line, watchdog_s=0.5, stop_after_s=600.0) as running, Sender(ports[0]) as sender:
        for number in range(3_000):
            sender.socket.send_multipart(hostile(rng))
            if number % 100 == 0:
                with socket.socket() as raw:
                    raw.connect(("127.0.0.1", ports[0]))
                    raw.send(rng.randbytes(rng.randrange(1, 300)))
        sender.socket.send(b"x" * 100_000)  # longer than any command: its sender is cut off
        assert running.failure is None
    assert running.failure is None
    with host(line) as again, Sender(ports[0]) as sender:
        drive_until(sender, lambda: all(goal > 500 for goal in goals(line)))
    assert again.failure is None
