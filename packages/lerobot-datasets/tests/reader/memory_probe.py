"""Reads a whole dataset in random order and says what each process that reads holds; run by test_memory.py.

Usage: memory_probe.py ROOT none|fork|spawn

The last line is JSON: per frame, in the order they were read, its index, the reading process, its open files and its
resident kilobytes that are no file's.
"""

import json
import os
import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from lerobot.datasets.lerobot_dataset import LeRobotDataset

CAMERA = "observation.images.cam"


class Probe(Dataset):
    """The dataset, with the state of the process that read each item."""

    def __init__(self, root: str) -> None:
        self.frames = LeRobotDataset("a/b", root)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> tuple[int, int, int, int]:
        item = self.frames[index]
        assert item[CAMERA].shape == (3, 32, 192)
        status = Path("/proc/self/status").read_text()
        anonymous = int(status.split("RssAnon:")[1].split()[0])
        return int(item["index"]), os.getpid(), len(list(Path("/proc/self/fd").iterdir())), anonymous


def main() -> None:
    root, method = sys.argv[1:]
    torch.set_num_threads(1)
    frames = Probe(root)
    workers = {} if method == "none" else {"num_workers": 2, "multiprocessing_context": method}
    order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(0)).tolist()
    loader = DataLoader(frames, batch_size=8, sampler=order, collate_fn=list, **workers)
    print(json.dumps([row for batch in loader for row in batch]))


if __name__ == "__main__":
    main()
