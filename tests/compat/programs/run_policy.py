"""Let a trained policy drive an SO-101."""

import torch
from lerobot.cameras.opencv import OpenCVCameraConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.utils import build_inference_frame, make_robot_action
from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig

from lerobot.datasets.lerobot_dataset import LeRobotDatasetMetadata

MAX_EPISODES = 2
MAX_STEPS_PER_EPISODE = 5

device = torch.device("cpu")
model_id = "OUTPUT"
model = ACTPolicy.from_pretrained(model_id)

dataset_metadata = LeRobotDatasetMetadata("me/cubes")
preprocess, postprocess = make_pre_post_processors(
    model.config, model_id, preprocessor_overrides={"device_processor": {"device": str(device)}}
)

camera_config = {"front": OpenCVCameraConfig(index_or_path="CAMERA", width=160, height=120, fps=30)}
robot = SO101Follower(SO101FollowerConfig(port="FOLLOWER_PORT", id="black", cameras=camera_config))
robot.connect()

for _ in range(MAX_EPISODES):
    model.reset()
    for _ in range(MAX_STEPS_PER_EPISODE):
        obs = robot.get_observation()
        obs_frame = build_inference_frame(
            observation=obs,
            ds_features=dataset_metadata.features,
            device=device,
            task="Put the cube into the bin",
            robot_type=robot.name,
        )
        obs = preprocess(obs_frame)
        action = model.select_action(obs)
        action = postprocess(action)
        action = make_robot_action(action, dataset_metadata.features)
        robot.send_action(action)

robot.disconnect()
