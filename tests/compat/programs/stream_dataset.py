"""Go through a dataset without a copy of it all."""

import torch

from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset

dataset = StreamingLeRobotDataset("me/cubes", delta_timestamps={"action": [0.0, 1 / 30, 2 / 30]}, buffer_size=100)
loader = torch.utils.data.DataLoader(dataset, batch_size=8, num_workers=0, drop_last=False)

seen = 0
for batch in loader:
    assert batch["action"].shape[1:] == (3, 6)
    seen += len(batch["action"])
assert seen == dataset.num_frames
