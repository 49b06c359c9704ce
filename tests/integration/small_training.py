"""A training of some seconds: flags of a small ACT, demonstrations to learn from, and what to look at afterwards."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.datasets.lerobot_dataset import LeRobotDataset

ACT = (
    "--policy.type=act",
    "--policy.dim_model=16",
    "--policy.n_heads=2",
    "--policy.dim_feedforward=24",
    "--policy.chunk_size=4",
    "--policy.n_action_steps=4",
    "--policy.n_encoder_layers=2",
    "--policy.n_vae_encoder_layers=1",
    "--policy.latent_dim=5",
    "--policy.kl_weight=0.1",
    "--policy.optimizer_lr=1e-3",
)


def write(root: Path, seen: dict[str, tuple[int, ...]]) -> Path:
    """Write three episodes of twelve frames, pictures as files."""
    shapes = {"observation.state": (3,), "action": (2,), **seen}
    features: dict[str, Any] = {
        key: {"dtype": "float32", "shape": shape, "names": None}
        if len(shape) == 1
        else {"dtype": "image", "shape": shape, "names": ["height", "width", "channels"]}
        for key, shape in shapes.items()
    }
    made = LeRobotDataset.create("test/moves", 10, features, root)
    rng = np.random.default_rng(0)
    for _ in range(3):
        for _ in range(12):
            frame: dict[str, Any] = {
                key: rng.normal(size=shape).astype(np.float32)
                if len(shape) == 1
                else rng.integers(0, 255, shape).astype(np.uint8)
                for key, shape in shapes.items()
            }
            made.add_frame({**frame, "task": "move"})
        made.save_episode()
    made.finalize()
    return root


def losses(run: Path) -> list[float]:
    return column(run, "loss")


def column(run: Path, name: str) -> list[float]:
    """What was reported of every step."""
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def states(checkpoint: Path) -> dict[str, bytes]:
    """Contents of the files of a checkpoint, but for those that name its place."""
    files = [path for path in checkpoint.resolve().rglob("*") if path.is_file() and path.name != "train_config.json"]
    return {str(path.relative_to(checkpoint.resolve())): path.read_bytes() for path in files}
