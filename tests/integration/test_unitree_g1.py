"""A virtual Unitree G1 behind its bridge, in a process of its own, through every command that drives a robot."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lerobot.core.registry import Registry
from lerobot.core.testing import PluginFolder
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.unitree_g1.joints import JOINTS

HOLDS = """
    from lerobot.core.config.base import TeleoperatorConfig
    from lerobot.core.teleoperator import PlainTeleoperator
    from lerobot.core.types import Action, FeatureSpec
    from lerobot.unitree_g1.joints import JOINTS, POSITIONS


    class HoldsConfig(TeleoperatorConfig):
        target = "holds:Holds"
        type: str = "holds"


    class Holds(PlainTeleoperator):
        name = "holds"

        def __init__(self, config: HoldsConfig) -> None:
            super().__init__(config.id)

        @property
        def action_features(self) -> dict[str, FeatureSpec]:
            return dict(POSITIONS)

        def get_action(self) -> Action:
            self.require_connected()
            return {joint.key: 0.3 if joint.name == "kLeftElbow" else 0.0 for joint in JOINTS}
"""
"""Somebody's own teleoperator: an elbow that is bent, and the rest straight."""

SMALL_ACT = (
    "--policy.type=act --policy.device=cpu --policy.dim_model=32 --policy.dim_feedforward=32 --policy.n_heads=2"
    " --policy.n_encoder_layers=1 --policy.n_vae_encoder_layers=1 --policy.chunk_size=10 --policy.n_action_steps=10"
    " --policy.pretrained_backbone_weights=null --policy.push_to_hub=false"
)
PATIENCE = (
    "--robot.max_age_s=20",
    "--robot.connect_timeout_s=60",
    "--safety.max_state_age_s=20",
    "--safety.max_command_age_s=20",
    "--safety.stop_after_s=60",
)
"""Whatever else the computer of the tests does meanwhile."""
CAMERA = "--robot.cameras={head: {type: fake, width: 160, height: 120, fps: 30}}"


@pytest.fixture
def robot() -> Iterator[list[str]]:
    """The flags of a virtual robot."""
    program = [sys.executable, "-m", "lerobot.unitree_g1.virtual", "--command_port=0", "--state_port=0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            command_port, state_port, _ = process.stdout.readline().split()
            ports = [f"--robot.command_port={command_port}", f"--robot.state_port={state_port}"]
            where = ["--robot.type=unitree_g1", "--robot.is_simulation=false", "--robot.robot_ip=127.0.0.1"]
            yield [
                *where,
                *ports,
                "--robot.max_age_s=20",
                "--robot.connect_timeout_s=60",
                CAMERA,
                "--safety.ramp_s=0.2",
            ]
        finally:
            process.terminate()


@pytest.fixture
def runs(tmp_path: Path) -> Callable[..., None]:
    """Run a command, with somebody's teleoperator installed."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    PluginFolder(plugins, Registry()).install(
        "lerobot-teleoperator-holds", {"teleoperator": {"holds": "holds:HoldsConfig"}}, {"holds": HOLDS}
    )
    environment = {**os.environ, "PYTHONPATH": str(plugins), "HF_LEROBOT_HOME": str(tmp_path / "home")}

    def runs(*arguments: str) -> None:
        program = [str(Path(sys.executable).with_name("lerobot")), *arguments]
        done = subprocess.run(
            program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return runs


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_recorded_replayed_learned_from_and_driven(
    robot: list[str], runs: Callable[..., None], tmp_path: Path
) -> None:
    data = ["--dataset.repo_id=me/g1", f"--dataset.root={tmp_path / 'g1'}"]
    runs(
        "record", *robot, "--teleop.type=holds", *data, "--dataset.single_task=Bend it", "--dataset.num_episodes=1",
        "--dataset.episode_time_s=2", "--dataset.reset_time_s=0", "--dataset.fps=15", "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
    )  # fmt: skip
    dataset = LeRobotDataset("me/g1", root=tmp_path / "g1")
    assert dataset.meta.features["action"]["names"] == [joint.key for joint in JOINTS]
    assert dataset[len(dataset) - 1]["observation.state"][18] == pytest.approx(0.3, abs=0.02)
    runs("replay", *robot, *data, "--dataset.episode=0")
    output = tmp_path / "outputs"
    small = ["--steps=2", "--batch_size=2", "--num_workers=0", f"--output_dir={output}"]
    runs("train", *data, *SMALL_ACT.split(), *small)
    runs(
        "rollout", "--strategy.type=base", *robot, "--task=Bend it", "--duration=1",
        "--return_to_initial_position=false", f"--policy.path={output}/checkpoints/last/pretrained_model",
    )  # fmt: skip
