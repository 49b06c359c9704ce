"""Virtual OMX arms."""

from lerobot.dynamixel.virtual.arms import assembled
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.omx.tables import FOLLOWER, LEADER


def omx() -> LineSpec:
    """A virtual OMX follower, as it leaves the workbench."""
    return assembled(FOLLOWER)


def omx_leader() -> LineSpec:
    """A virtual OMX leader, as it leaves the workbench."""
    return assembled(LEADER)
