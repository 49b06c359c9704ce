"""A virtual SO-100 or SO-101 arm."""

from lerobot.feetech.virtual import FeetechServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec
from lerobot.so100.tables import JOINTS

STOPS = ((750, 3350), (800, 3200), (850, 3100), (850, 3200), (130, 3990), (2030, 3500))
"""Travel of the joints, rounded from real calibration files, with the encoders mounted mid-travel."""


def so_arm() -> LineSpec:
    """A virtual SO-100 or SO-101 arm, as it leaves the workbench: assembled, not calibrated."""
    return LineSpec(
        FeetechServo,
        tuple(ServoSpec(i, "sts3215", max(stops[0], 2048), stops) for i, stops in enumerate(STOPS, start=1)),
        JOINTS,
    )
