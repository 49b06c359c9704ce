"""New Dynamixel servos as they leave the factory, for setting up."""

from lerobot.dynamixel.tables import BAUD_CODES
from lerobot.dynamixel.virtual.servo import DynamixelServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec


def xl330_m077() -> LineSpec:
    """One new XL330-M077."""
    return _new("xl330-m077")


def xl330_m288() -> LineSpec:
    """One new XL330-M288."""
    return _new("xl330-m288")


def xl430_w250() -> LineSpec:
    """One new XL430-W250."""
    return _new("xl430-w250")


def _new(model: str) -> LineSpec:
    servo = ServoSpec(1, model, registers={"Baud_Rate": BAUD_CODES[57_600]})
    return LineSpec(DynamixelServo, (servo,), ("motor",), voltage=5.0)
