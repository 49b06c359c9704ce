"""`lerobot rollout --policy.path=EXPORT`: the whole command, without torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_export import CAMERAS, NAMES, description, write

from lerobot.core.config import load
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.runtime.config import ExportedPolicyConfig

HEAVY = ["torch", "transformers", "onnx", "lerobot.policies.policy"]
FIXED = ["--robot.type=fake", "--fps=50", CAMERAS, "--return_to_initial_position=false", "--safety.ramp_s=0"]


def flags(exported: Path, *further: str) -> list[str]:
    return [f"--policy.path={exported}", "--policy.threads=1", *FIXED, *further]


def test_a_folder_with_an_export_is_an_exported_policy(exported: Path) -> None:
    config = load(RolloutConfig, flags(exported)).config
    assert isinstance(config.policy, ExportedPolicyConfig)
    assert config.policy.folder == exported
    named = load(RolloutConfig, ["--policy.type=exported", f"--policy.folder={exported}", *FIXED]).config
    assert named.policy.file == "policy.onnx"


def test_a_robot_is_driven_without_torch(exported: Path, tmp_path: Path) -> None:
    """In a process of its own: this one has imported what others need."""
    script = (
        "import sys\n"
        "from lerobot.core.config import load\n"
        "from lerobot.rollout.command import rollout\n"
        "from lerobot.rollout.commands.rollout import RolloutConfig\n"
        f"code = rollout(load(RolloutConfig, {flags(exported, '--duration=0.3')!r}).config)\n"
        f"assert not (found := set({HEAVY}) & set(sys.modules)), found\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False,
        env={"HOME": str(tmp_path), "PATH": "", "HF_LEROBOT_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "policy: " in done.stdout


@pytest.mark.parametrize("inference", ["sync", "async"])
def test_the_robot_gets_what_the_policy_plans(exported: Path, robots: list[Any], inference: str) -> None:
    """Each action of a chunk is ten degrees further; a chunk begins where the robot is, plus the brightness."""
    further = ["--duration=0.4", f"--inference.type={inference}"]
    assert rollout(load(RolloutConfig, flags(exported, *further)).config) == 0
    sent = [entry.values for entry in robots[0].log if entry.event == "command"]
    assert max(command[NAMES[0]] for command in sent) > 15.0
    assert robots[0].log[-1].event == "torque off"


def test_real_time_chunking_is_refused_before_anything_moves(exported: Path, robots: list[Any]) -> None:
    with pytest.raises(LeRobotError, match="cannot be continued"):
        rollout(load(RolloutConfig, flags(exported, "--inference.type=rtc")).config)
    assert not robots[0].log


def test_a_robot_without_the_camera_never_moves(exported: Path, robots: list[Any]) -> None:
    without = [flag for flag in flags(exported) if flag != CAMERAS]
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        rollout(load(RolloutConfig, without).config)
    assert not robots[0].log


def test_a_task_it_cannot_do_is_refused_before_anything_moves(tmp_path: Path, robots: list[Any]) -> None:
    told = write(tmp_path / "told", description(task="pick"))
    with pytest.raises(FeatureMismatchError, match="exported for the task 'pick'"):
        rollout(load(RolloutConfig, flags(told, "--task=dance")).config)
    assert not robots[0].log


def test_its_episodes_are_recorded(exported: Path, robots: list[Any], tmp_path: Path) -> None:
    further = [
        "--strategy.type=episodic",
        "--dataset.repo_id=me/rollout_exported",
        f"--dataset.root={tmp_path / 'recorded'}",
        "--dataset.single_task=pick",
        "--dataset.num_episodes=2",
        "--dataset.episode_time_s=0.2",
        "--dataset.reset_time_s=0",
        "--dataset.fps=50",
        "--dataset.video=false",
        "--play_sounds=false",
    ]
    assert rollout(load(RolloutConfig, flags(exported, *further)).config) == 0
    info = json.loads((tmp_path / "recorded" / "meta" / "info.json").read_text())
    assert info["total_episodes"] == 2
    assert info["features"]["action"]["names"] == NAMES
