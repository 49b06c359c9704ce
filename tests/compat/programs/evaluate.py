"""Count the successes of a policy in a simulated environment."""

from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.envs.configs import PushtEnv
from lerobot.envs.factory import make_env, make_env_pre_post_processors
from lerobot.envs.utils import close_envs, preprocess_observation
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.factory import make_policy, make_pre_post_processors
from lerobot.scripts.lerobot_eval import eval_policy

env_cfg = PushtEnv(episode_length=6)
envs = make_env(env_cfg, n_envs=2)
env = envs["pusht"][0]

observation, info = env.reset(seed=[0, 1])
observation = preprocess_observation(observation)
assert observation["observation.image"].shape == (2, 3, 96, 96)

cfg = DiffusionConfig(
    down_dims=(16, 32),
    diffusion_step_embed_dim=8,
    spatial_softmax_num_keypoints=4,
    num_inference_steps=2,
    crop_shape=(84, 84),
    pretrained_backbone_weights=None,
)
policy = make_policy(cfg, env_cfg=env_cfg)
policy.eval()
assert policy.config.input_features["observation.state"] == PolicyFeature(type=FeatureType.STATE, shape=(2,))

stats = {
    "observation.image": {"mean": [[[0.5]]] * 3, "std": [[[0.5]]] * 3},
    "observation.state": {"min": [0.0, 0.0], "max": [512.0, 512.0]},
    "action": {"min": [0.0, 0.0], "max": [512.0, 512.0]},
}
preprocessor, postprocessor = make_pre_post_processors(policy.config, dataset_stats=stats)
env_preprocessor, env_postprocessor = make_env_pre_post_processors(env_cfg, policy.config)

results = eval_policy(
    env,
    policy,
    env_preprocessor,
    env_postprocessor,
    preprocessor,
    postprocessor,
    n_episodes=4,
    start_seed=1000,
)
close_envs(envs)
