"""A LeKiwi with either end from huggingface/lerobot, in two processes, on virtual servos.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with huggingface/lerobot and pyzmq.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.lekiwi.config import LeKiwiClientConfig
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]

ARM_RANGES = {
    "arm_shoulder_pan": (761, 3280),
    "arm_shoulder_lift": (814, 3171),
    "arm_elbow_flex": (898, 3113),
    "arm_wrist_flex": (746, 3074),
    "arm_wrist_roll": (0, 4095),
    "arm_gripper": (2013, 3514),
}
WHEELS = ("base_left_wheel", "base_back_wheel", "base_right_wheel")
RANGES = ARM_RANGES | dict.fromkeys(WHEELS, (0, 4095))
CALIBRATION = {name: MotorCalibration(i, 0, 0, *RANGES[name]) for i, name in enumerate(RANGES, start=1)}
DRIVE = {
    **{f"{joint}.pos": 0.0 for joint in ARM_RANGES},
    "arm_elbow_flex.pos": 8.0,
    "arm_gripper.pos": 60.0,
    "x.vel": 0.1,
    "y.vel": -0.05,
    "theta.vel": 20.0,
}
RAW_WHEELS = [-886, 1221, 1372]
"""As the recorded session of huggingface/lerobot has them for this velocity."""


@pytest.fixture
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    if subprocess.run([python, "-c", "import zmq"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no pyzmq, which huggingface/lerobot[lekiwi] needs")
    return python


@pytest.fixture
def line(tmp_path: Path) -> Iterator[VirtualBus]:
    save_calibration(tmp_path / "kiwi.json", CALIBRATION)
    with VirtualBus(with_calibration(ARMS["lekiwi"], CALIBRATION)) as line:
        yield line


@pytest.fixture
def ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def flags(line: VirtualBus, folder: Path, ports: tuple[int, int]) -> list[str]:
    return [
        f"--robot.port={line.port}",
        "--robot.id=kiwi",
        f"--robot.calibration_dir={folder}",
        f"--host.port_zmq_cmd={ports[0]}",
        f"--host.port_zmq_observations={ports[1]}",
    ]


def speeds(line: VirtualBus) -> list[int]:
    """What the wheels are told, encoder steps/s."""
    raw = [int(line.state(i)["Goal_Velocity"]) for i in (7, 8, 9)]
    return [-(value & 0x7FFF) if value & 0x8000 else value for value in raw]


def is_driven(measured: Mapping[str, Any]) -> bool:
    """Whether joints and base are where `DRIVE` wants them."""
    return all(
        abs(measured.get(key, 1e9) - value) < (0.005 if key in {"x.vel", "y.vel"} else 0.6)
        for key, value in DRIVE.items()
    )


def until_it_stands(line: VirtualBus) -> None:
    """Wait until the wheels are told to stand; for the reader of `pytest -s`, tell after how long they were."""
    begin = time.monotonic()
    while speeds(line) != [0, 0, 0]:
        assert time.monotonic() - begin < 20
        time.sleep(0.01)
    sys.stdout.write(f"\nthe base stopped after {time.monotonic() - begin:.2f} s\n")


def test_their_client_drives_our_host(peer: str, line: VirtualBus, tmp_path: Path, ports: tuple[int, int]) -> None:
    camera = "--robot.cameras={front: {type: fake, width: 64, height: 48, fps: 30}}"
    program = Path(sys.executable).with_name("lerobot")
    host = subprocess.Popen(
        [program, "lekiwi-host", *flags(line, tmp_path, ports), camera], stderr=subprocess.PIPE, text=True
    )
    client = subprocess.Popen(
        [peer, Path(__file__).with_name("peer_lekiwi_client.py"), *map(str, ports)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert client.stdin is not None
        assert client.stdout is not None
        measured: dict[str, Any] = {}
        end = time.monotonic() + 60
        while not is_driven(measured):  # the gate ramps for two seconds
            assert time.monotonic() < end, measured
            client.stdin.write(json.dumps(DRIVE) + "\n")
            client.stdin.flush()
            measured = json.loads(client.stdout.readline())
        assert speeds(line) == RAW_WHEELS
        assert measured["front"] == [48, 64, 3, "uint8"]
        client.kill()
        until_it_stands(line)
    finally:
        for process in (client, host):
            process.terminate()
        complaints = host.communicate(timeout=60)[1]
        client.communicate(timeout=60)
    assert host.returncode == 0, complaints
    assert "Traceback" not in complaints
    assert not any(line.state(i)["Torque_Enable"] for i in range(1, 10))


def test_our_client_drives_their_host(peer: str, line: VirtualBus, tmp_path: Path, ports: tuple[int, int]) -> None:
    command = [peer, "-m", "lerobot.robots.lekiwi.lekiwi_host", *flags(line, tmp_path, ports)]
    config = LeKiwiClientConfig(
        remote_ip="127.0.0.1",
        wire="zmq",
        port_zmq_cmd=ports[0],
        port_zmq_observations=ports[1],
        cameras={},
        connect_timeout_s=20,
    )
    client, host = config.build(), None
    try:
        # Theirs asks each motor once whether it is there, and gives up on a machine that is busy.
        while not client.is_connected:
            if host is None or host.poll() is not None:
                host = subprocess.Popen(
                    [*command, "--robot.cameras={}", "--host.connection_time_s=600"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            with contextlib.suppress(DeviceConnectionError):
                client.connect()
        end = time.monotonic() + 20
        while not is_driven(client.get_observation()):
            assert client.send_action(DRIVE) == DRIVE
            assert time.monotonic() < end
            time.sleep(0.02)
        assert speeds(line) == RAW_WHEELS
        client.enter_safe_state()
        until_it_stands(line)
    finally:
        client.disconnect()
        if host is not None:
            host.terminate()
            host.wait(60)
