"""What is particular to OMX arms: nobody sweeps them, a gentle reversed trigger, numbers from 11."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.motors import load_calibration, save_calibration
from lerobot.motors.virtual import VirtualBus
from lerobot.omx.config import OmxFollowerConfig, OmxLeaderConfig
from lerobot.omx.follower import OmxFollower
from lerobot.omx.leader import OmxLeader

FOLLOWER_DEFAULTS = {
    "disable_torque_on_disconnect": True,
    "max_relative_target": None,
    "cameras": {},
    "use_degrees": False,
    "id": None,
    "calibration_dir": None,
}
LEADER_DEFAULTS = {"gripper_open_pos": 60.0, "id": None, "calibration_dir": None}


@pytest.mark.parametrize(
    ("kind", "name", "defaults"),
    [("robot", "omx_follower", FOLLOWER_DEFAULTS), ("teleoperator", "omx_leader", LEADER_DEFAULTS)],
)
def test_fields_and_defaults_are_the_documented_ones(kind: str, name: str, defaults: dict) -> None:
    config = registry.config_class(kind, name)(port="/dev/ttyUSB0")
    assert config.model_dump(exclude={"type", "port"}) == defaults


def test_the_first_connection_calibrates_without_a_question(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line, prompter = start("omx", calibrated=False), ScriptedPrompter()
    with OmxFollower(OmxFollowerConfig(port=line.port, id="black", calibration_dir=tmp_path), prompter=prompter) as arm:
        assert prompter.asked == []
        assert prompter.said == [f"Calibration saved to {tmp_path / 'black.json'}"]
        assert arm.is_calibrated
        assert [line.state(i)["Operating_Mode"] for i in range(11, 17)] == [4, 4, 4, 4, 4, 5]
        assert [line.state(13)[f"Position_{gain}_Gain"] for gain in "PID"] == [1500, 0, 600]
        assert arm.send_action({"elbow_flex.pos": 250.0}) == {"elbow_flex.pos": 100.0}
        assert line.state(13)["Goal_Position"] == 4095, "an extended servo would go anywhere"
    assert not any(line.state(i)["Torque_Enable"] for i in range(11, 17))


def test_a_file_with_limits_of_its_own_is_not_overwritten(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    known = dict(OmxFollower.table.known_calibration or {})
    mine = {**known, "shoulder_lift": replace(known["shoulder_lift"], range_min=1000, range_max=3000)}
    save_calibration(tmp_path / "black.json", mine)
    line, prompter = start("omx", calibrated=False), ScriptedPrompter([""])
    with OmxFollower(OmxFollowerConfig(port=line.port, id="black", calibration_dir=tmp_path), prompter=prompter):
        assert len(prompter.asked) == 1
        assert "Press ENTER to use provided calibration file" in prompter.asked[0]
        assert line.state(12)["Min_Position_Limit"] == 1000
    assert load_calibration(tmp_path / "black.json") == mine


def test_the_trigger_springs_open_gently(start: Callable[..., VirtualBus], tmp_path: Path) -> None:
    line = start("omx_leader", calibrated=False)
    with OmxLeader(OmxLeaderConfig(port=line.port, id="blue", calibration_dir=tmp_path)) as arm:
        assert [line.state(i)["Torque_Enable"] for i in range(1, 7)] == [0, 0, 0, 0, 0, 1]
        held = line.state(6)
        assert [held[name] for name in ("Drive_Mode", "Current_Limit", "Goal_Current")] == [1, 100, 100]
        assert arm.bus.read("Homing_Offset", "gripper") == 100
        # It swings a count past its goal at a speed that does not count as moving, and back.
        while arm.get_action()["gripper.pos"] != pytest.approx(60.0):
            pass
    assert not line.state(6)["Torque_Enable"]


def test_calibrations_are_where_the_peer_keeps_them(lerobot_home: Path) -> None:
    arms = [OmxFollower(OmxFollowerConfig(port="x", id="black")), OmxLeader(OmxLeaderConfig(port="x", id="black"))]
    folders = [arm.calibration_path.relative_to(lerobot_home / "calibration") for arm in arms]
    assert folders == [Path("robots/omx_follower/black.json"), Path("teleoperators/omx_leader/black.json")]
