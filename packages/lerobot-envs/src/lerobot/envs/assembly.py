"""From a configuration to an environment that plays episode by episode."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import LeRobotError
from lerobot.core.words import counted
from lerobot.envs.config import HubEnvConfig
from lerobot.envs.episode import EpisodeEnv
from lerobot.envs.old_gym import OldGym, OldGymEnv


def make_env(config: EnvConfig, *, trust_remote_code: bool = False) -> EpisodeEnv:
    """Build one environment.

    Args:
        config: configuration of the environment.
        trust_remote_code: allow an environment whose code comes from the Hub.

    Raises:
        LeRobotError: it names several tasks, is no environment, or its code would have to be trusted and is not.
        PluginLoadError: its implementation cannot be imported.
    """
    require_one_task(config)
    if isinstance(config, HubEnvConfig):
        env = config.build(trust_remote_code=trust_remote_code)
    else:
        env = config.build()
    if not isinstance(env, gymnasium.Env) and isinstance(env, OldGym):
        env = OldGymEnv(env)
    if not isinstance(env, gymnasium.Env):
        raise LeRobotError(
            f"environment '{config.type}' is a {type(env).__name__}, which cannot be evaluated",
            expected="a gymnasium.Env",
        )
    if not config.disable_env_checker:
        env = gymnasium.wrappers.PassiveEnvChecker(env)
    return EpisodeEnv(env, max_steps=config.episode_length)


def require_one_task(config: EnvConfig) -> None:
    """Refuse a configuration that names several tasks where there is room for one environment.

    Raises:
        LeRobotError: it does.
    """
    tasks = [f"{suite} {number}" for suite, numbers in config.tasks().items() for number in numbers]
    if len(tasks) != 1:
        raise LeRobotError(
            f"environment '{config.type}' names {counted(len(tasks), 'task')}, {tasks[0]} to {tasks[-1]}",
            expected="one task, for one environment",
        )


def env_maker(config: EnvConfig, *, trust_remote_code: bool = False) -> Callable[[], gymnasium.Env[Any, Any]]:
    """A function without arguments that calls `make_env`, also in another process."""
    return partial(make_env, config, trust_remote_code=trust_remote_code)
