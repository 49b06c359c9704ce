"""Which algorithm learns from reward: the choice. Light."""

from typing import ClassVar

from lerobot.core.config.base import PluginConfig


class AlgorithmConfig(PluginConfig):
    """Choice of an algorithm: `--algorithm.type=sac`.

    `target` is built with the configuration and `trained`, the policy that learns with its processors, and is a
    `lerobot.rl.algorithm.Algorithm`.
    """

    kind: ClassVar[str] = "algorithm"

    @property
    def steps_per_window(self) -> int:
        """Transitions that a window of a batch has: 1, or as many as there are actions in a chunk."""
        return 1
