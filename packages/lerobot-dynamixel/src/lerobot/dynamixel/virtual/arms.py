"""Virtual arms of Dynamixel servos, and a single new motor."""

from lerobot.dynamixel.virtual.servo import DynamixelServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


def _arm(first_id: int, models: tuple[str, ...]) -> LineSpec:
    servos = tuple(ServoSpec(first_id + i, model, stops=(700, 3400)) for i, model in enumerate(models))
    return LineSpec(DynamixelServo, servos, JOINTS, voltage=5.0)


KOCH = _arm(1, ("xl430-w250",) * 2 + ("xl330-m288",) * 4)
KOCH_LEADER = _arm(1, ("xl330-m077",) * 6)
OMX = _arm(11, ("xl430-w250",) * 3 + ("xl330-m288",) * 3)
OMX_LEADER = _arm(1, ("xl330-m288",) * 5 + ("xl330-m077",))

XL330_M288 = LineSpec(
    DynamixelServo, (ServoSpec(1, "xl330-m288", registers={"Baud_Rate": 1}),), ("motor",), voltage=5.0
)
"""One new motor as it leaves the factory, for setting up."""
