"""A LeKiwi, its host and a client, in three processes; the client dies while it drives."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

WHEELS, ALL = (7, 8, 9), range(1, 10)
ARM_RANGES = ((761, 3280), (814, 3171), (898, 3113), (746, 3074), (0, 4095), (2013, 3514))

CLIENT = """
import sys, time
from lerobot.lekiwi.config import LeKiwiClientConfig
client = LeKiwiClientConfig(remote_ip="127.0.0.1", cameras={}, connect_timeout_s=60, **eval(sys.argv[1])).build()
client.connect()
rest = {key: client.get_observation()[key] for key in client.action_features if key.endswith(".pos")}
while True:
    client.get_observation()
    client.send_action({**rest, "x.vel": 0.2, "y.vel": 0.0, "theta.vel": 0.0})
    time.sleep(1 / 30)
"""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[VirtualBus]:
    ranges = [*ARM_RANGES, *[(0, 4095)] * 3]
    calibration = {
        name: MotorCalibration(motor_id, 0, 0, *ranges[motor_id - 1])
        for motor_id, name in enumerate(ARMS["lekiwi"].names, start=1)
    }
    save_calibration(tmp_path / "kiwi.json", calibration)
    with VirtualBus(with_calibration(ARMS["lekiwi"], calibration)) as line:
        yield line


def is_so_soon(condition: Callable[[], bool]) -> float:
    """Wait for a condition; after how many seconds it was true."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < 60
        time.sleep(0.002)
    return time.monotonic() - begin


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def started(wire: str, flags: list[str], stack: ExitStack) -> tuple["subprocess.Popen[str]", dict[str, Any]]:
    """Start a host; its process, and what a client has to know."""
    program = str(Path(sys.executable).with_name("lerobot"))
    if wire == "zmq":
        commands, observations = free_ports(2)
        ports = [f"--host.port_zmq_cmd={commands}", f"--host.port_zmq_observations={observations}"]
        host = stack.enter_context(subprocess.Popen([program, "lekiwi-host", *flags, *ports], text=True))
        return host, {"wire": wire, "port_zmq_cmd": commands, "port_zmq_observations": observations}
    serve = [program, "serve", "--robot.type=lekiwi", *flags, "--port=0"]
    host = stack.enter_context(subprocess.Popen(serve, stdout=subprocess.PIPE, text=True))
    assert host.stdout is not None
    port = re.search(r":(\d+);", host.stdout.readline())
    assert port is not None
    return host, {"wire": wire, "port": int(port[1])}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("wire", "end"),
    [
        ("lerobot", signal.SIGKILL),
        pytest.param("lerobot", signal.SIGSTOP, marks=pytest.mark.slow),
        ("zmq", signal.SIGKILL),
    ],
)
def test_when_a_client_dies_the_base_stops_and_the_arm_is_released(
    wire: str, end: signal.Signals, line: VirtualBus, tmp_path: Path
) -> None:
    flags = [
        f"--robot.port={line.port}",
        "--robot.id=kiwi",
        f"--robot.calibration_dir={tmp_path}",
        "--robot.cameras={}",
    ]
    with ExitStack() as stack:
        host, known = started(wire, flags, stack)
        stack.callback(host.terminate)
        client = stack.enter_context(subprocess.Popen([sys.executable, "-c", CLIENT, repr(known)]))
        stack.callback(client.kill)
        is_so_soon(lambda: line.state(9)["Goal_Velocity"] > 2000)
        assert all(line.state(i)["Torque_Enable"] for i in ALL)
        os.kill(client.pid, end)
        stopped_s = is_so_soon(lambda: not any(line.state(i)["Goal_Velocity"] for i in WHEELS))
        released_s = stopped_s + is_so_soon(lambda: not any(line.state(i)["Torque_Enable"] for i in ALL))
        # For the reader of `pytest -s`: no test depends on how fast this machine is.
        sys.stdout.write(f"\n{wire}, {end.name}: base stopped after {stopped_s:.2f} s, arm after {released_s:.2f} s\n")
        assert host.poll() is None, "the host waits for the next client"
        host.terminate()
        assert host.wait(30) == 0
    assert not any(line.state(i)["Torque_Enable"] for i in ALL)
