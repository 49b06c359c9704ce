"""Which simulated scenes are running in this process, by the id of their robot."""

from typing import TYPE_CHECKING

from lerobot.core.running import Running

if TYPE_CHECKING:
    # Commands without a simulated robot load this module too, by way of the hooks: it must not bring MuJoCo.
    from lerobot.sim.world import World

running: "Running[World]" = Running("sim_so101")
"""The worlds of this process."""
