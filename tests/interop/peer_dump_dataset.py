"""Run by the peer's interpreter: every frame of a dataset as the peer reads it, into one npz file.

Usage: peer_dump_dataset.py ROOT OUT.npz [EPISODE ...]
"""

import sys

import numpy as np
import torch

from lerobot.datasets.lerobot_dataset import LeRobotDataset

root, out, *episodes = sys.argv[1:]
dataset = LeRobotDataset(
    "interop/written", root=root, video_backend="pyav", episodes=[int(e) for e in episodes] or None
)
arrays = {"__len__": np.array([len(dataset), dataset.num_episodes])}
for i in range(len(dataset)):
    for key, value in dataset[i].items():
        arrays[f"{i}|{key}"] = value.numpy() if isinstance(value, torch.Tensor) else np.array(value)
for key, stats in dataset.meta.stats.items():
    for name, value in stats.items():
        arrays[f"stats|{key}|{name}"] = np.asarray(value)
np.savez(out, **arrays)
