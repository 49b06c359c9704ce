"""A dataset made by `lerobot record`, loaded by huggingface/lerobot."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.safety import SafetyConfig
from lerobot.datasets.commands.record import DatasetRecordConfig, RecordConfig
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.record.command import record

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("columns", [(), ("requested_action", "outcome", "capture_times")])
def test_the_peer_reads_what_the_command_recorded(tmp_path, lerobot_home, columns):
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name an interpreter with huggingface/lerobot")
    root, out = tmp_path / "set", tmp_path / "read.npz"
    camera = FakeCameraConfig(width=64, height=48, fps=60)
    dataset = DatasetRecordConfig(
        repo_id="me/set",
        root=root,
        no_stamp=True,
        single_task="Wave",
        num_episodes=2,
        episode_time_s=0.3,
        reset_time_s=0.1,
        extra_columns=columns,
    )
    config = RecordConfig(
        robot=FakeRobotConfig(cameras={"front": camera}),
        teleop=FakeTeleoperatorConfig(),
        dataset=dataset,
        play_sounds=False,
        safety=SafetyConfig(ramp_s=0.1),
    )
    assert record(config) == 0
    script = Path(__file__).with_name("peer_dump_dataset.py")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [python, str(script), str(root), str(out)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ours = LeRobotDataset("me/set", root)
    with np.load(out) as arrays:
        assert arrays["__len__"].tolist() == [len(ours), 2]
        for index in range(len(ours)):
            mine = ours[index]
            assert {key.split("|")[1] for key in arrays if key.startswith(f"{index}|")} == mine.keys()
            for key, value in mine.items():
                theirs = arrays[f"{index}|{key}"]
                if isinstance(value, str):
                    assert str(theirs) == value
                elif key.startswith("observation.images."):
                    assert np.abs(theirs - value.numpy()).max() <= 1 / 255
                else:
                    assert np.array_equal(theirs, value.numpy()), key
