"""Runs begun here and continued by huggingface/lerobot, and the other way round; the same run in both.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with it.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file

from lerobot.core.config import load
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

pytestmark = pytest.mark.peer

# Without dropout and latent there is nothing random but the order of frames.
QUIET = ("--policy.dropout=0", "--policy.use_vae=false")
SMALL = (
    "--policy.dim_model=32",
    "--policy.n_heads=2",
    "--policy.dim_feedforward=64",
    "--policy.n_encoder_layers=1",
    "--policy.chunk_size=5",
    "--policy.n_action_steps=5",
    "--policy.pretrained_backbone_weights=null",
    "--policy.push_to_hub=false",
    "--policy.optimizer_lr=1e-4",
)
COMMON = ("--policy.device=cpu", "--num_workers=0", "--batch_size=4", "--log_freq=1")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "moves"
    vector = {"dtype": "float32", "names": None}
    picture = {"dtype": "image", "shape": (64, 64, 3), "names": ["height", "width", "channels"]}
    features = {
        "observation.state": {**vector, "shape": (3,)},
        "action": {**vector, "shape": (2,)},
        "observation.images.top": picture,
    }
    made = LeRobotDataset.create("test/moves", 10, features, root)
    rng = np.random.default_rng(0)
    for episode in range(3):
        for _ in range(11 + episode):
            state = rng.normal(size=3).astype(np.float32)
            image = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
            made.add_frame(
                {"observation.state": state, "action": state[:2] * 2, "observation.images.top": image, "task": "move"}
            )
        made.save_episode()
    made.finalize()
    return root


def here(*flags: str) -> None:
    assert train(load(TrainPipelineConfig, flags).config) == 0


def peer(*flags: str) -> str:
    python = os.environ["LEROBOT_PEER_PYTHON"]
    environ = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [python, "-m", "lerobot.scripts.lerobot_train", *flags]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=250, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    return run.stdout + run.stderr


def begin(dataset: Path, output: Path, *flags: str) -> list[str]:
    return [f"--dataset.root={dataset}", "--dataset.repo_id=test/moves", f"--output_dir={output}", *COMMON, *flags]


def weights(run: Path) -> dict[str, Any]:
    return load_file(run / "checkpoints/last/pretrained_model/model.safetensors")


def largest_difference(first: Path, second: Path) -> float:
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    return max(float((one[key] - two[key]).abs().max()) for key in one)


def settings(run: Path, step: int) -> str:
    return f"--config_path={run}/checkpoints/{step:06}/pretrained_model/train_config.json"


def test_fifty_steps_from_the_same_weights_are_the_same(dataset: Path, tmp_path: Path) -> None:
    """Weights after 50 steps, and every loss to the digits the peer prints."""
    here(*begin(dataset, tmp_path / "start", "--policy.type=act", *SMALL, *QUIET, "--steps=1"))
    start = f"--policy.path={tmp_path}/start/checkpoints/last/pretrained_model"
    flags = (start, "--policy.push_to_hub=false", "--steps=50", "--save_freq=50", "--env_eval_freq=0")
    here(*begin(dataset, tmp_path / "here", *flags))
    output = peer(*begin(dataset, tmp_path / "peer", *flags))
    assert largest_difference(tmp_path / "here", tmp_path / "peer") <= 1e-4
    # Two handlers may print the same line.
    printed = [float(loss) for loss in dict(re.findall(r"step:(\d+).*?loss:([0-9.]+)", output)).values()]
    rows = (tmp_path / "here/metrics.csv").read_text().splitlines()
    column = rows[0].split(",").index("loss")
    losses = [float(row.split(",")[column]) for row in rows[1:]]
    assert len(printed) == len(losses) == 50
    assert losses == pytest.approx(printed, abs=6e-4)


def test_begun_here_continued_by_the_peer(dataset: Path, tmp_path: Path) -> None:
    here(*begin(dataset, tmp_path / "run", "--policy.type=act", *SMALL, *QUIET, "--steps=8", "--save_freq=4"))
    expected = weights(tmp_path / "run")
    peer(settings(tmp_path / "run", 4), "--resume=true")
    found = weights(tmp_path / "run")
    assert max(float((expected[key] - found[key]).abs().max()) for key in expected) <= 1e-5


def test_begun_by_the_peer_continued_here(dataset: Path, tmp_path: Path) -> None:
    """The peer's own train_config.json, optimizer and random states."""
    peer(*begin(dataset, tmp_path / "run", "--policy.type=act", *SMALL, *QUIET, "--steps=8", "--save_freq=4"))
    expected = weights(tmp_path / "run")
    checkpoint = tmp_path / "run/checkpoints/000004"
    assert json.loads((checkpoint / "training_state/training_step.json").read_text())["step"] == 4
    here(settings(tmp_path / "run", 4), "--resume=true", f"--checkpoint_path={checkpoint}")
    found = weights(tmp_path / "run")
    assert max(float((expected[key] - found[key]).abs().max()) for key in expected) <= 1e-5
