"""From a configuration to an environment that plays episode by episode."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import LeRobotError
from lerobot.envs.config import HubEnvConfig
from lerobot.envs.episode import EpisodeEnv


def make_env(config: EnvConfig, *, trust_remote_code: bool = False) -> EpisodeEnv:
    """Build one environment.

    Args:
        config: configuration of the environment.
        trust_remote_code: allow an environment whose code comes from the Hub.

    Raises:
        LeRobotError: it is no gymnasium environment, or its code would have to be trusted and is not.
        PluginLoadError: its implementation cannot be imported.
    """
    if isinstance(config, HubEnvConfig):
        env = config.build(trust_remote_code=trust_remote_code)
    else:
        env = config.build()
    if not isinstance(env, gymnasium.Env):
        raise LeRobotError(
            f"environment '{config.type}' is a {type(env).__name__}, which cannot be evaluated",
            expected="a gymnasium.Env",
        )
    if not config.disable_env_checker:
        env = gymnasium.wrappers.PassiveEnvChecker(env)
    return EpisodeEnv(env, max_steps=config.episode_length)


def env_maker(config: EnvConfig, *, trust_remote_code: bool = False) -> Callable[[], gymnasium.Env[Any, Any]]:
    """A function without arguments that calls `make_env`, also in another process."""
    return partial(make_env, config, trust_remote_code=trust_remote_code)
