"""Virtual arms of Feetech servos, and a new servo as it leaves the factory, for setting up."""

from lerobot.feetech.virtual.servo import FeetechServo
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

HALF_TURN = 2048

SO_STOPS = {
    "shoulder_pan": (750, 3350),
    "shoulder_lift": (800, 3200),
    "elbow_flex": (850, 3100),
    "wrist_flex": (850, 3200),
    "wrist_roll": (130, 3990),
    "gripper": (2030, 3500),
}
"""Travel of the joints of an SO arm, rounded from real calibration files, with the encoders mounted mid-travel."""


def assembled(table: ArmTable, prefix: str = "") -> LineSpec:
    """A virtual arm with the joints of an SO arm, as it leaves the workbench: not calibrated.

    Args:
        table: its servos; those that are no joints of an SO arm turn freely.
        prefix: what the names of the joints begin with.
    """
    servos = []
    for name, joint in table.joints.items():
        stops = SO_STOPS.get(name.removeprefix(prefix))
        position = max(HALF_TURN, stops[0]) if stops else HALF_TURN
        servos.append(ServoSpec(joint.motor_id, joint.model, position, stops))
    return LineSpec(FeetechServo, tuple(servos), tuple(table.joints))


def sts3215() -> LineSpec:
    """One new STS3215 as it leaves the factory, for setting up."""
    return LineSpec(FeetechServo, (ServoSpec(1, "sts3215"),), ("motor",))
