"""A virtual SO-100 or SO-101 arm."""

from lerobot.feetech.virtual.arms import assembled
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.so100.tables import FOLLOWER


def so_arm() -> LineSpec:
    """A virtual SO-100 or SO-101 arm, as it leaves the workbench: assembled, not calibrated."""
    return assembled(FOLLOWER)
