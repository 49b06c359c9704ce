"""An SO-101 follower in one scripted session: what it sends, measures and returns, beside the peer.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with huggingface/lerobot.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, LineSpec, VirtualBus, with_calibration
from lerobot.so100.config import SO101FollowerConfig
from lerobot.so100.follower import SOFollower

pytestmark = pytest.mark.peer

CALIBRATION = {
    "shoulder_pan": MotorCalibration(1, 0, 1603, 761, 3280),
    "shoulder_lift": MotorCalibration(2, 0, -1720, 814, 3171),
    "elbow_flex": MotorCalibration(3, 0, -1799, 898, 3113),
    "wrist_flex": MotorCalibration(4, 0, 1156, 746, 3074),
    "wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "gripper": MotorCalibration(6, 0, 990, 2013, 3514),
}
ACTION = {f"{name}.pos": 12.5 - 3 * i for i, name in enumerate(CALIBRATION)} | {"gripper.pos": 55.5}

PEER = """
import json, sys
from pathlib import Path
from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig
robot = SO101Follower(SO101FollowerConfig(port={port!r}, id="black", calibration_dir=Path({folder!r})))
robot.connect()
print("connected", flush=True)
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
"""
STEPS = ["robot.get_observation()", f"robot.send_action({ACTION!r})", "robot.get_observation() and None"]
SETTINGS = (
    *("Operating_Mode", "P_Coefficient", "I_Coefficient", "D_Coefficient", "Return_Delay_Time", "Maximum_Acceleration"),
    *("Acceleration", "Max_Torque_Limit", "Protection_Current", "Overload_Torque", "Torque_Enable", "Lock", "Phase"),
    *("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit"),
)


def held(line: VirtualBus) -> list[dict[str, float]]:
    """The settings each servo holds."""
    states = (line.state(servo.id) for servo in line.spec.servos)
    return [{name: state[name] for name in SETTINGS} for state in states]


@pytest.fixture
def spec() -> LineSpec:
    return with_calibration(ARMS["so101"], CALIBRATION)


def test_a_session_is_the_same(spec: LineSpec, tmp_path: Path) -> None:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON is not set")
    save_calibration(tmp_path / "black.json", CALIBRATION)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    with VirtualBus(spec) as line:
        script = PEER.format(port=line.port, folder=str(tmp_path))
        with subprocess.Popen(
            [python, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as peer:
            assert peer.stdin is not None
            assert peer.stdout is not None
            assert peer.stdout.readline() == "connected\n"
            settings, expected = held(line), []
            line.packets()
            for step in STEPS:
                peer.stdin.write(step + "\n")
                peer.stdin.flush()
                expected.append((json.loads(peer.stdout.readline()), line.packets()))

    with (
        VirtualBus(spec) as line,
        SOFollower(SO101FollowerConfig(port=line.port, id="black", calibration_dir=tmp_path)) as robot,
    ):
        assert held(line) == settings
        line.packets()
        for step, (value, packets) in zip(STEPS, expected, strict=True):
            assert eval(step, {"robot": robot}) == value, step
            assert line.packets() == packets, step
