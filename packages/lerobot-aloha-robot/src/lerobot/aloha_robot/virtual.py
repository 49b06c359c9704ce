"""Virtual ALOHA arms."""

from lerobot.aloha_robot.tables import FOLLOWER, LEADER
from lerobot.dynamixel.virtual.arms import assembled
from lerobot.motors.virtual.line_spec import LineSpec

SUPPLY_V = 12.0


def aloha() -> LineSpec:
    """A virtual ViperX 300 S follower, as it leaves the workbench."""
    return assembled(FOLLOWER, SUPPLY_V)


def aloha_leader() -> LineSpec:
    """A virtual WidowX 250 S leader, as it leaves the workbench."""
    return assembled(LEADER, SUPPLY_V)
