"""Environments as vectors of gymnasium, the way programs for huggingface/lerobot step them."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from lerobot.core.config.base import EnvConfig
from lerobot.core.images import network_images
from lerobot.core.processors.pipeline import PolicyProcessorPipeline
from lerobot.core.registry import registry
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env as make_episode_env
from lerobot.policies.features import PolicyFeatures
from lerobot.policies.processing.observations import flatten, is_image

Vector = SyncVectorEnv | AsyncVectorEnv


def make_env_config(env_type: str, **kwargs: Any) -> EnvConfig:
    """Make the configuration of an environment.

    Args:
        env_type: its registered name, such as `"pusht"`.
        **kwargs: its fields.

    Raises:
        PluginError: there is no such environment.
    """
    made: EnvConfig = registry.config_class("env", env_type)(**kwargs)
    return made


def make_env(
    cfg: EnvConfig | str,
    n_envs: int = 1,
    use_async_envs: bool = False,
    hub_cache_dir: str | None = None,
    trust_remote_code: bool = False,
) -> dict[str, dict[int, Any]]:
    """Build environments side by side.

    Args:
        cfg: configuration, or a repository of the Hub (`owner/name`).
        n_envs: how many.
        use_async_envs: give each a process of its own.
        hub_cache_dir: accepted, and not needed: `HF_HOME` says where downloads go.
        trust_remote_code: allow code from the Hub.

    Returns:
        By suite and number of the task a vector of `n_envs` environments, whose episodes start anew by themselves, as
        gymnasium does it.
    """
    del hub_cache_dir
    config = make_env_config("hub", hub_path=cfg) if isinstance(cfg, str) else cfg

    def vector(task: EnvConfig) -> Vector:
        makers = [partial(_whole_episodes, task, trust_remote_code=trust_remote_code)] * n_envs
        if use_async_envs and n_envs > 1:
            return AsyncVectorEnv(makers, context="spawn")
        return SyncVectorEnv(makers)

    return {suite: {number: vector(task) for number, task in tasks.items()} for suite, tasks in config.tasks().items()}


class _WholeEpisodes(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Says the end of an episode by `terminated`, which gymnasium's vectors go by."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, reward, _, _, info = self.env.step(action)
        return observation, reward, bool(info["ended"]), False, {"is_success": info["is_success"]}


def _whole_episodes(config: EnvConfig, *, trust_remote_code: bool) -> gymnasium.Env[Any, Any]:
    return _WholeEpisodes(make_episode_env(config, trust_remote_code=trust_remote_code))


def preprocess_observation(observations: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Make a batch of what a vector of environments shows.

    Args:
        observations: `pixels`, `agent_pos`, `environment_state`, each with a row per environment.

    Returns:
        Images `(B, C, H, W)` float32 in [0, 1], vectors `(B, D)` float32, by dataset key.
    """
    batch: dict[str, torch.Tensor] = {}
    for key, value in flatten(observations).items():
        array = np.asarray(value)
        tensor = torch.from_numpy(array.copy())
        pictures = array.ndim == 4 and is_image(array.shape[1:], array.dtype)
        batch[key] = network_images(tensor) if pictures else tensor.float()
    return batch


def env_to_policy_features(env_cfg: EnvConfig) -> PolicyFeatures:
    """Say what a policy can get from an environment, and what it has to give; the environment is built for it."""
    with closing(make_episode_env(env_cfg)) as env:
        return provided_features(env.observation_space, env.action_space, env_cfg.features_map)


def make_env_pre_post_processors(env_cfg: EnvConfig, policy_cfg: Any) -> tuple[Any, Any]:
    """The pipelines between environment and policy; environments here give what policies take, so they are empty."""
    del env_cfg, policy_cfg
    return PolicyProcessorPipeline(name="env_preprocessor"), PolicyProcessorPipeline(name="env_postprocessor")


def close_envs(obj: Any) -> None:
    """Close environments, in whatever mappings and lists they are."""
    for env in _environments(obj):
        env.close()


def _environments(obj: Any) -> Iterator[Any]:
    if isinstance(obj, Mapping):
        obj = list(obj.values())
    if isinstance(obj, list | tuple):
        for each in obj:
            yield from _environments(each)
    else:
        yield obj
