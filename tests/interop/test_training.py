"""Runs begun here and continued by huggingface/lerobot, and the other way round; the same run in both.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with it.
"""

import csv
import json
import os
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
)
COMMON = ("--policy.device=cpu", "--num_workers=0", "--batch_size=4", "--log_freq=1")


def write(root: Path, *, pictures: bool) -> Path:
    """Three episodes, of pictures or of an environment's state."""
    vector = {"dtype": "float32", "names": None}
    seen = (
        {"observation.images.top": {"dtype": "image", "shape": (64, 64, 3), "names": ["height", "width", "channels"]}}
        if pictures
        else {"observation.environment_state": {**vector, "shape": (4,)}}
    )
    features = {"observation.state": {**vector, "shape": (3,)}, "action": {**vector, "shape": (2,)}, **seen}
    made = LeRobotDataset.create("test/moves", 10, features, root)
    rng = np.random.default_rng(0)
    for episode in range(3):
        for _ in range(11 + episode):
            state = rng.normal(size=3).astype(np.float32)
            frame: dict[str, Any] = {"observation.state": state, "action": state[:2] * 2, "task": "move"}
            if pictures:
                frame["observation.images.top"] = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
            else:
                frame["observation.environment_state"] = rng.normal(size=4).astype(np.float32)
            made.add_frame(frame)
        made.save_episode()
    made.finalize()
    return root


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "moves", pictures=True)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "states", pictures=False)


def here(*flags: str) -> None:
    assert train(load(TrainPipelineConfig, flags).config) == 0


# Trains, and says every loss with all its digits.
PEER_SCRIPT = """
import json
from lerobot.scripts import lerobot_train
update, losses = lerobot_train.update_policy, []
def measured(*arguments, **named):
    tracker, output = update(*arguments, **named)
    losses.append(float(tracker.loss.val))
    return tracker, output
lerobot_train.update_policy = measured
lerobot_train.main()
print("LOSSES" + json.dumps(losses))
"""


def peer(*flags: str) -> list[float]:
    """Train with the peer; the loss of every step."""
    python = os.environ["LEROBOT_PEER_PYTHON"]
    environ = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [python, "-c", PEER_SCRIPT, *flags]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=250, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    losses: list[float] = json.loads(run.stdout.rpartition("LOSSES")[2])
    return losses


def begin(dataset: Path, output: Path, *flags: str) -> list[str]:
    return [f"--dataset.root={dataset}", "--dataset.repo_id=test/moves", f"--output_dir={output}", *COMMON, *flags]


def weights(run: Path) -> dict[str, Any]:
    return load_file(run / "checkpoints/last/pretrained_model/model.safetensors")


def settings(run: Path, step: int) -> str:
    return f"--config_path={run}/checkpoints/{step:06}/pretrained_model/train_config.json"


def test_fifty_steps_from_the_same_weights_have_the_same_losses(states: Path, tmp_path: Path) -> None:
    """Without pictures: a backbone with random weights turns a difference in the last bit into another run."""
    here(*begin(states, tmp_path / "start", "--policy.type=act", *SMALL, *QUIET, "--steps=1"))
    start = f"--policy.path={tmp_path}/start/checkpoints/last/pretrained_model"
    flags = (start, "--policy.push_to_hub=false", "--steps=50", "--save_freq=50", "--env_eval_freq=0")
    here(*begin(states, tmp_path / "here", *flags))
    expected = peer(*begin(states, tmp_path / "peer", *flags))
    with (tmp_path / "here/metrics.csv").open(newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert len(set(losses)) == 50
    assert losses == pytest.approx(expected, rel=0, abs=1e-4)


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
