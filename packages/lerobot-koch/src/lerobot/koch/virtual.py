"""Virtual Koch v1.1 arms."""

from lerobot.dynamixel.virtual.arms import assembled
from lerobot.koch.tables import FOLLOWER, LEADER
from lerobot.motors.virtual.line_spec import LineSpec


def koch() -> LineSpec:
    """A virtual Koch v1.1 follower, as it leaves the workbench."""
    return assembled(FOLLOWER)


def koch_leader() -> LineSpec:
    """A virtual Koch v1.1 leader, as it leaves the workbench."""
    return assembled(LEADER)
