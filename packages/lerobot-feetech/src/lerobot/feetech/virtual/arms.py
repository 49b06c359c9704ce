"""Virtual lines of Feetech servos."""

from lerobot.feetech.virtual.servo import FeetechServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec


def sts3215() -> LineSpec:
    """One new STS3215 as it leaves the factory, for setting up."""
    return LineSpec(FeetechServo, (ServoSpec(1, "sts3215"),), ("motor",))
