"""Virtual arms of Dynamixel servos, and a single new motor."""

from lerobot.dynamixel.virtual.servo import DynamixelServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


def _arm(first_id: int, models: tuple[str, ...]) -> LineSpec:
    servos = tuple(ServoSpec(first_id + i, model, stops=(700, 3400)) for i, model in enumerate(models))
    return LineSpec(DynamixelServo, servos, JOINTS, voltage=5.0)


def koch() -> LineSpec:
    """A virtual Koch v1.1 follower."""
    return _arm(1, ("xl430-w250",) * 2 + ("xl330-m288",) * 4)


def koch_leader() -> LineSpec:
    """A virtual Koch v1.1 leader."""
    return _arm(1, ("xl330-m077",) * 6)


def omx() -> LineSpec:
    """A virtual OMX follower."""
    return _arm(11, ("xl430-w250",) * 3 + ("xl330-m288",) * 3)


def omx_leader() -> LineSpec:
    """A virtual OMX leader."""
    return _arm(1, ("xl330-m288",) * 5 + ("xl330-m077",))


def xl330_m288() -> LineSpec:
    """One new XL330-M288 as it leaves the factory, for setting up."""
    servo = ServoSpec(1, "xl330-m288", registers={"Baud_Rate": 1})
    return LineSpec(DynamixelServo, (servo,), ("motor",), voltage=5.0)
