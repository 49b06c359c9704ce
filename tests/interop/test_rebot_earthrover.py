"""Virtual reBot arms and a virtual EarthRover, measured and driven by huggingface/lerobot and by us.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with huggingface/lerobot, motorbridge and
motorbridge-smart-servo.
"""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.testing import ScriptedPrompter
from lerobot.earthrover.config import EarthRoverMiniPlusConfig
from lerobot.earthrover.robot import EarthRoverMiniPlus
from lerobot.earthrover.virtual import VirtualRover
from lerobot.motors.virtual import ARMS, VirtualBus
from lerobot.rebot.config import Rebot102LeaderConfig, RebotB601FollowerConfig
from lerobot.rebot.follower import RebotB601Follower
from lerobot.rebot.leader import Rebot102Leader

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]

GOALS = {
    "shoulder_pan.pos": 12.0,
    "shoulder_lift.pos": -20.0,
    "elbow_flex.pos": -15.0,
    "wrist_flex.pos": 10.0,
    "wrist_yaw.pos": -5.0,
    "wrist_roll.pos": 8.0,
    "gripper.pos": -30.0,
}


def ask_peer(arguments: list[str], commands: list[dict[str, float]], needs: str) -> list[dict[str, Any]]:
    """What the peer measures after each command."""
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    if subprocess.run([python, "-c", f"import {needs}"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no {needs}")
    done = subprocess.run(
        [python, str(Path(__file__).with_name("peer_rebot.py")), *arguments],
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_follower_does_for_both_the_same(tmp_path: Path) -> None:
    """Calibrated by us; its file, its zero and its goals are the peer's too."""
    with VirtualBus(ARMS["rebot_b601"]) as line:
        config = RebotB601FollowerConfig(port=line.port, id="peer", calibration_dir=tmp_path)
        with RebotB601Follower(config, prompter=ScriptedPrompter()) as ours:
            ours.send_action(GOALS)
            time.sleep(1.0)
            here = ours.get_observation()
        (theirs,) = ask_peer(["follower", line.port, str(tmp_path)], [GOALS], "motorbridge")
        assert theirs.pop("sent") == pytest.approx(GOALS)
        assert theirs == pytest.approx(dict(here), abs=0.2)
        assert not any(line.state(motor)["Torque_Enable"] for motor in range(1, 8))


def test_a_leader_tells_both_the_same(tmp_path: Path) -> None:
    with VirtualBus(ARMS["rebot_102"]) as line:
        config = Rebot102LeaderConfig(port=line.port, id="peer", calibration_dir=tmp_path)
        with Rebot102Leader(config, prompter=ScriptedPrompter()) as ours:
            line.move({0: -100.0, 1: 45.5, 2: -90.0, 3: 12.3, 4: 0.0, 5: -30.5, 6: 25.0})
            here = ours.get_action()
        (theirs,) = ask_peer(["leader", line.port, str(tmp_path)], [{}], "motorbridge_smart_servo")
        assert theirs == pytest.approx(here, abs=1e-5)


def test_a_rover_does_for_both_the_same() -> None:
    drive = {"linear_velocity": 0.5, "angular_velocity": 0.0}
    with VirtualRover() as rover:
        (theirs,) = ask_peer(["rover", rover.url], [drive], "requests")
        assert theirs.pop("sent") == drive
        peers = rover.commands
        with EarthRoverMiniPlus(EarthRoverMiniPlusConfig(sdk_url=rover.url, watchdog_s=60)) as ours:
            ours.send_action(drive)
            ours.commander.settle(30)
            while (here := ours.get_observation())["speed"] == 0:
                time.sleep(0.05)
        assert rover.commands[len(peers) :] == peers
    moves = {"gps_latitude", "gps_longitude"}
    assert set(theirs) == set(here)
    assert theirs["front"] == here["front"][0, 0].tolist()
    assert {k: theirs[k] for k in theirs.keys() - moves - {"front", "rear"}} == {
        k: here[k] for k in theirs.keys() - moves - {"front", "rear"}
    }
