"""Policies that act: of what else than a checkpoint they may be, and what `--policy.path` stands for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PluginConfig, PolicyConfig
from lerobot.core.paths import user_path

EXPORT = "policy.json"
"""File that describes an exported policy; see `lerobot export`."""


class ChunkPolicyConfig(PolicyConfig):
    """Choice of a policy that is not loaded here, such as one on another computer.

    `target` is built with `observation_features` and `action_features` of the robot (`Features`) and `fps`, the actions
    per second, and is a `ChunkSource`. Building it reaches the policy and checks that both fit.
    """


class ServedPolicyConfig(PluginConfig):
    """Choice of a policy to serve: `--policy.path=FOLDER` for a trained one.

    A plugin's `target` is a `lerobot.core.protocols.served.ServedPolicy`.
    """

    kind: ClassVar[str] = "served_policy"
    from_path: ClassVar[str] = "lerobot.core.config.policies:served_fields"


def served_fields(path: str, _given: Mapping[str, str]) -> dict[str, Any]:
    """What the `--policy.path` of a policy to serve stands for: a checkpoint."""
    return {"type": "checkpoint", "checkpoint": path}


def saved_fields(path: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields that a path stands for, by whoever knows such folders: plugins of the kind `saved_policy`.

    Args:
        path: folder of an export; or folder or Hub repository of a checkpoint.
        given: fields given beside it.

    Raises:
        LeRobotError: nobody who reads it is installed, there is no such policy, or it is damaged.
    """
    from lerobot.core.registry import registry

    form = "exported" if (user_path(Path(path)) / EXPORT).is_file() else "checkpoint"
    fields: dict[str, Any] = registry.config_class("saved_policy", form)(path, given)
    return fields


def require_trained(config: PolicyConfig) -> None:
    """Check that a policy comes from somewhere: an untrained one would act at random.

    Raises:
        PydanticCustomError: it is new; for validators of commands.
    """
    if config.origin is None:
        raise PydanticCustomError("policy_untrained", "--policy.path: a trained policy, not only its type")
