"""`lerobot virtual-arm`, run as a user runs it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorError, MotorNormMode
from lerobot.motors.commands.virtual_arm import VirtualArmConfig
from lerobot.motors.virtual import ARMS

LEROBOT = str(Path(sys.executable).with_name("lerobot"))


@pytest.fixture
def run(tmp_path) -> Iterator:
    running: list[subprocess.Popen] = []

    def run(*arguments: str) -> tuple[subprocess.Popen, str]:
        file = tmp_path / f"port{len(running)}"
        process = subprocess.Popen(
            [LEROBOT, "virtual-arm", *arguments, f"--port-file={file}"], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        while not file.exists():
            assert process.poll() is None
            time.sleep(0.02)
        return process, file.read_text().strip()

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_arms_are_those_of_installed_packages() -> None:
    assert {"so100", "so101"} <= set(ARMS)
    assert VirtualArmConfig(arm="so101").port_file is None
    assert ARMS["so101"].names[-1] == "gripper"


def test_it_serves_until_it_is_told_to_stop(run, tmp_path) -> None:
    process, port = run("so101")
    bus = FeetechMotorsBus(port, ARMS["so101"].motors(MotorNormMode.DEGREES))
    bus.connect()
    assert bus.read("Present_Position", "gripper", normalize=False) == 2048
    bus.disconnect()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout.read() == f"so101 on port {port} (Ctrl-C ends it)\n"
    assert list(tmp_path.iterdir()) == []


def test_faults_and_motion_come_from_the_command_line(run) -> None:
    _, port = run("so101", "--faults={elbow_flex: missing, gripper: corrupt=0}", "--motion=sway")
    bus = FeetechMotorsBus(port, ARMS["so101"].motors(MotorNormMode.DEGREES))
    with pytest.raises(MotorError, match="missing motor IDs: 3"):
        bus.connect()
    bus.connect(handshake=False)
    seen = set()
    while len(seen) < 3:
        seen.add(bus.read("Present_Position", "gripper", normalize=False))
    bus.disconnect(disable_torque=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["so101", "--faults={elbow: missing}"], "there is no joint 'elbow'"),
        (["so101", "--faults={gripper: broken}"], "'broken' is no fault"),
        (["so101", "--faults={gripper}"], "such as {gripper: missing}"),
        (["so101", "--new", "--motion=sway"], "--new alone"),
        (["so102"], "so101"),
    ],
)
def test_a_mistake_is_one_clear_message(arguments, told) -> None:
    result = subprocess.run([LEROBOT, "virtual-arm", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_servos_can_hold_a_calibration(run, tmp_path) -> None:
    file = tmp_path / "arm.json"
    file.write_text(
        '{"gripper": {"id": 6, "drive_mode": 0, "homing_offset": 990, "range_min": 2013, "range_max": 3514}}'
    )
    _, port = run("so101", f"--calibration={file}")
    bus = FeetechMotorsBus(port, ARMS["so101"].motors(MotorNormMode.DEGREES))
    bus.connect()
    held = bus.read_calibration()["gripper"]
    assert (held.homing_offset, held.range_min, held.range_max) == (990, 2013, 3514)
    assert bus.read("Present_Position", "gripper", normalize=False) == pytest.approx((2013 + 3514) / 2, abs=1)
    bus.disconnect()


def test_new_motors_are_set_up_one_after_the_other(run) -> None:
    process, port = run("so101", "--new")
    robot = registry.config_class("robot", "so101_follower")(port=port).build(prompter=ScriptedPrompter([""] * 6))
    robot.setup_motors()
    robot.bus.connect()
    assert robot.bus.ids == [1, 2, 3, 4, 5, 6]
    robot.bus.disconnect(disable_torque=False)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    told = process.stdout.read().splitlines()
    assert told[1:4] == [
        "gripper is plugged in, alone",
        "gripper is set up with id 6",
        "wrist_roll is plugged in, alone",
    ]
    assert told[-1] == "all motors are plugged in"


def test_new_motors_are_those_of_the_factory(run, monkeypatch) -> None:
    monkeypatch.setattr(FeetechMotorsBus, "available_baudrates", (115_200, 1_000_000))
    _, port = run("so101", "--new")
    bus = FeetechMotorsBus(port, ARMS["so101"].motors(MotorNormMode.DEGREES))
    assert [ids for ids in bus.scan_port(port).values() if ids] == [[1]]


def test_faults_without_a_blank_are_understood() -> None:
    config = load(VirtualArmConfig, ["so101", "--faults={gripper:missing,elbow_flex: corrupt=0.1}"]).config
    assert config.faults == {"gripper": "missing", "elbow_flex": "corrupt=0.1"}
