"""A third-party environment, made by gymnasium as its configuration says."""

from importlib import import_module
from typing import Any

import gymnasium

from lerobot.compat.plugins.device import told


def adapted_env(config: Any) -> gymnasium.Env[Any, Any]:
    """Make the environment of a model of `AdaptedEnvConfig`.

    Raises:
        DeviceError: the plugin or gymnasium failed.
    """
    made = config.original()
    with told(str(config.type), "made"):
        # Importing the package registers its environments with gymnasium.
        import_module(made.package_name)
        return gymnasium.make(made.gym_id, disable_env_checker=config.disable_env_checker, **made.gym_kwargs)
