"""The computer beside a robot: an arm, cameras and recording, and no torch.

`nox -s wheels` builds the wheels and names their folder in LEROBOT_WHEELS.
"""

import json
import sys
from pathlib import Path

import pytest
from clean_environment import done, install, run

pytestmark = pytest.mark.wheels


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packages = ["lerobot-core", "lerobot-so100", "lerobot-opencv", "lerobot-datasets"]
    return install(tmp_path_factory.mktemp("robot") / "venv", *packages)


def test_there_is_no_torch(environment: Path) -> None:
    site_packages = next(environment.glob("lib/python*/site-packages"))
    size = sum(file.stat().st_size for file in site_packages.rglob("*") if file.is_file() and not file.is_symlink())
    sys.stdout.write(f"installed: {size / 1e6:.0f} MB\n")
    assert not [name for name in ("torch", "gymnasium", "mujoco", "dynamixel_sdk") if (site_packages / name).exists()]


def test_an_arm_brings_the_bus_of_its_motors_only(tmp_path: Path) -> None:
    environment = install(tmp_path / "venv", "lerobot-core", "lerobot-koch")
    site_packages = next(environment.glob("lib/python*/site-packages"))
    size = sum(file.stat().st_size for file in site_packages.rglob("*") if file.is_file() and not file.is_symlink())
    sys.stdout.write(f"installed: {size / 1e6:.0f} MB\n")
    assert (site_packages / "dynamixel_sdk").exists()
    assert not [name for name in ("torch", "numpy", "scservo_sdk") if (site_packages / name).exists()]
    text = done(environment / "bin" / "lerobot", "teleoperate", "--teleop.type=koch_leader", "--help")
    assert "--teleop.gripper_open_pos" in text


def test_the_arm_is_known_with_its_flags(environment: Path) -> None:
    text = done(environment / "bin" / "lerobot", "teleoperate", "--robot.type=so101_follower", "--help")
    assert "--robot.port" in text
    assert "--robot.max_relative_target" in text


def test_an_episode_is_recorded(environment: Path, tmp_path: Path) -> None:
    done(
        environment / "bin" / "lerobot-record",
        "--robot.type=fake",
        "--robot.cameras={front: {type: fake, width: 64, height: 48, fps: 30}}",
        "--teleop.type=fake",
        "--dataset.repo_id=me/first",
        "--dataset.no_stamp=true",
        "--dataset.num_episodes=1",
        "--dataset.episode_time_s=2",
        "--dataset.reset_time_s=0",
        "--dataset.single_task=Move",
        cwd=tmp_path,
        env={"HF_LEROBOT_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
    )
    info = json.loads((tmp_path / "me/first/meta/info.json").read_text(encoding="utf-8"))
    assert info["codebase_version"] == "v3.0"
    assert info["total_episodes"] == 1
    assert info["total_frames"] == 60


def test_a_missing_arm_is_one_clear_answer(environment: Path, tmp_path: Path) -> None:
    result = run(
        environment / "bin" / "lerobot",
        "teleoperate",
        "--robot.type=so101_follower",
        "--robot.port=/dev/no-follower",
        "--teleop.type=so101_leader",
        "--teleop.port=/dev/nothing",
        cwd=tmp_path,
        env={"HF_LEROBOT_HOME": str(tmp_path)},
    )
    assert result.returncode == 1
    assert "/dev/nothing" in result.stderr
    assert "Traceback" not in result.stderr
