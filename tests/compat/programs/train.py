"""Train ACT in a loop of one's own."""

from pathlib import Path

import torch
from lerobot.configs.types import FeatureType
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from lerobot.utils.feature_utils import dataset_to_policy_features

from lerobot.datasets.lerobot_dataset import LeRobotDataset, LeRobotDatasetMetadata


def make_delta_timestamps(delta_indices, fps):
    return [0] if delta_indices is None else [i / fps for i in delta_indices]


output_directory = Path("OUTPUT")
output_directory.mkdir(parents=True, exist_ok=True)
device = torch.device("cpu")
dataset_id = "me/cubes"

dataset_metadata = LeRobotDatasetMetadata(dataset_id)
features = dataset_to_policy_features(dataset_metadata.features)
output_features = {key: ft for key, ft in features.items() if ft.type is FeatureType.ACTION}
input_features = {key: ft for key, ft in features.items() if key not in output_features}

cfg = ACTConfig(
    input_features=input_features,
    output_features=output_features,
    chunk_size=8,
    n_action_steps=8,
    dim_model=32,
    dim_feedforward=32,
    n_heads=2,
    n_encoder_layers=1,
    n_vae_encoder_layers=1,
    pretrained_backbone_weights=None,
)
cfg.device = "cpu"
policy = ACTPolicy(cfg)
preprocessor, postprocessor = make_pre_post_processors(cfg, dataset_stats=dataset_metadata.stats)
policy.train()
policy.to(device)

delta_timestamps = {"action": make_delta_timestamps(cfg.action_delta_indices, dataset_metadata.fps)}
delta_timestamps |= {
    k: make_delta_timestamps(cfg.observation_delta_indices, dataset_metadata.fps) for k in cfg.image_features
}
delta_timestamps = {k: v for k, v in delta_timestamps.items() if v != [0]}
dataset = LeRobotDataset(dataset_id, delta_timestamps=delta_timestamps)

optimizer = cfg.get_optimizer_preset().build(policy.parameters())
dataloader = torch.utils.data.DataLoader(
    dataset, num_workers=0, batch_size=2, shuffle=True, pin_memory=device.type != "cpu", drop_last=True
)

step = 0
losses = []
while step < 3:
    for batch in dataloader:
        batch = preprocessor(batch)
        loss, _ = policy.forward(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        step += 1
        if step >= 3:
            break

policy.save_pretrained(output_directory)
preprocessor.save_pretrained(output_directory)
postprocessor.save_pretrained(output_directory)
