"""Which environments are running as robots in this process, by the id of their robot."""

from typing import TYPE_CHECKING

from lerobot.core.running import Running

if TYPE_CHECKING:
    # Every command loads this module, by way of the hooks: it must not bring gymnasium.
    from lerobot.envs.scene import Scene

running: "Running[Scene]" = Running("env")
"""The scenes of this process."""
