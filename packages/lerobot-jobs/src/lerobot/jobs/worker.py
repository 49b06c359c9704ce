"""The functions that do shards, found by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from lerobot.core.registry import registry


class Worker(Protocol):
    """What an entry point of `lerobot.workers` names.

    It keeps nothing between calls, and the same row and settings give the same files, byte by byte, on every machine.
    """

    def __call__(self, row: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
        """Do one shard.

        Args:
            row: what this shard is.
            settings: what all shards have in common.
            folder: an empty folder for the files it makes.

        Returns:
            JSON: what was made, for whoever puts the shards together.

        Raises:
            LeRobotError: it cannot be done; another try would end alike.
        """
        ...


def find_worker(name: str) -> Worker:
    """The worker of a name.

    Raises:
        PluginError: nobody brings it, or several do.
    """
    return cast("Worker", registry.config_class("worker", name))
