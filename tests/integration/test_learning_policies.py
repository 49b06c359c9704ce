"""Policies with a history, trained on real recordings through the command line: they learn, go on exactly, and fit."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot.core.config import load
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.commands.check import CheckConfig
from lerobot.policies.preflight import run as check
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

DATA = Path(__file__).parents[3] / "shared" / "data"

DIFFUSION = (
    "--policy.type=diffusion",
    "--policy.horizon=8",
    "--policy.n_action_steps=4",
    "--policy.down_dims=[16, 32]",
    "--policy.diffusion_step_embed_dim=16",
    "--policy.num_train_timesteps=10",
)
PICTURES = (
    "--policy.crop_shape=[84, 84]",
    "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null",
)
VQBET = (
    "--policy.type=vqbet",
    # Codes are learned until after the middle of the run, where it goes on from a checkpoint.
    "--policy.n_vqvae_training_steps=12",
    "--policy.gpt_n_layer=1",
    "--policy.gpt_hidden_dim=32",
    "--policy.gpt_n_head=2",
    "--policy.n_obs_steps=2",
)
KINDS = {"diffusion": (*DIFFUSION, *PICTURES), "diffusion from states": DIFFUSION, "vqbet": (*VQBET, *PICTURES)}


def pictures(_: Path) -> Path:
    """One episode of PushT, video and all."""
    return DATA / "derived_from_v1_v30" / "pusht_1ep"


def states(folder: Path) -> Path:
    """Two episodes of PushT whose video is not here; what the environment says is taken to be the target."""
    vector = {"dtype": "float32", "shape": (2,), "names": None}
    names = ("observation.state", "observation.environment_state", "action")
    made = LeRobotDataset.create("test/states", 10, dict.fromkeys(names, vector), folder / "states")
    table = pq.read_table(next((DATA / "pusht_v30_novideo" / "data").rglob("*.parquet")))
    columns = {name: np.array(table[name].to_pylist(), np.float32) for name in ("observation.state", "action")}
    episodes = table["episode_index"].to_numpy()
    for episode in (0, 1):
        for row in np.flatnonzero(episodes == episode):
            state, action = columns["observation.state"][row], columns["action"][row]
            made.add_frame(dict(zip(names, (state, action, action), strict=True)) | {"task": "push"})
        made.save_episode()
    made.finalize()
    return folder / "states"


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(kind: str, tmp_path: Path) -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    root = (states if kind == "diffusion from states" else pictures)(tmp_path)
    flags = [
        f"--dataset.root={root}",
        "--dataset.repo_id=test/pusht",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--num_workers=0",
        "--batch_size=4",
        "--save_freq=10",
        "--steps=20",
        *KINDS[kind],
    ]
    for run in ("whole", "parts"):
        assert train(load(TrainPipelineConfig, [*flags, f"--output_dir={tmp_path / run}"]).config) == 0
    settings = tmp_path / "parts/checkpoints/000010/pretrained_model/train_config.json"
    for path in (tmp_path / "parts/checkpoints/000020").rglob("*.safetensors"):
        path.unlink()
    assert train(load(TrainPipelineConfig, [f"--config_path={settings}", "--resume=true"]).config) == 0
    whole, parts = (tmp_path / run / "checkpoints/000020" for run in ("whole", "parts"))
    files = [path.relative_to(whole) for path in whole.rglob("*.safetensors")]
    assert {"model.safetensors", "optimizer_state.safetensors"} <= {path.name for path in files}
    assert [path for path in files if (whole / path).read_bytes() != (parts / path).read_bytes()] == []
    flags = [f"--policy.path={whole / 'pretrained_model'}", f"--dataset.root={root}", "--dataset.repo_id=test/pusht"]
    assert check(load(CheckConfig, flags).config) == 0
