"""Read a dataset: what it says of itself, frames, windows around frames, batches."""

import torch

from lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata

repo_id = "me/cubes"

meta = LeRobotDatasetMetadata(repo_id)
print(f"{meta.total_episodes} episodes, {meta.total_frames / meta.total_episodes:.3f} frames each on average")
print(f"at {meta.fps} frames per second, of {meta.robot_type}, cameras {meta.camera_keys}")
print(meta.tasks, meta.features)

dataset = LeRobotDataset(repo_id, episodes=[1])
print(dataset.num_episodes, dataset.num_frames, dataset.hf_dataset)

first = dataset.meta.episodes["dataset_from_index"][1]
last = dataset.meta.episodes["dataset_to_index"][1]
camera_key = dataset.meta.camera_keys[0]
frames = [dataset[index][camera_key] for index in range(last - first)]
assert frames[0].shape == (3, 120, 160)

delta_timestamps = {
    camera_key: [-0.1, 0],
    "observation.state": [-0.2, -0.1, 0],
    "action": [t / dataset.fps for t in range(16)],
}
dataset = LeRobotDataset(repo_id, delta_timestamps=delta_timestamps)
item = dataset[0]
assert item[camera_key].shape == (2, 3, 120, 160)
assert item["observation.state"].shape == (3, 6)
assert item["action"].shape == (16, 6)
assert item["observation.state_is_pad"].tolist() == [True, True, False]

loader = torch.utils.data.DataLoader(dataset, num_workers=0, batch_size=4, shuffle=True)
batch = next(iter(loader))
assert batch["action"].shape == (4, 16, 6)
