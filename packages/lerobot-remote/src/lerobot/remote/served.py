"""Which policy is served, and by what: a package that can load policies registers how."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lerobot.core.config.base import PluginConfig


class ServedPolicyConfig(PluginConfig):
    """Choice of a policy to serve: `--policy.path=FOLDER` for a trained one.

    A plugin's `target` is a `lerobot.remote.host.policy.ServedPolicy`.
    """

    kind: ClassVar[str] = "served_policy"
    from_path: ClassVar[str] = "lerobot.remote.served:checkpoint_fields"


def checkpoint_fields(path: str, _given: Mapping[str, str]) -> dict[str, Any]:
    """What `--policy.path` stands for: a checkpoint."""
    return {"type": "checkpoint", "checkpoint": path}
