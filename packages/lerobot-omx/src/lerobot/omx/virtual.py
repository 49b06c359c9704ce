"""Virtual OMX arms."""

from lerobot.dynamixel.virtual import DynamixelServo
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec
from lerobot.omx.tables import FOLLOWER, LEADER

STOPS = (700, 3400)
"""Travel of every joint, with the encoders mounted mid-travel; a reversed one counts it backwards."""


def omx() -> LineSpec:
    """A virtual OMX follower, as it leaves the workbench: assembled, not calibrated."""
    return _arm(FOLLOWER)


def omx_leader() -> LineSpec:
    """A virtual OMX leader, as it leaves the workbench: assembled, not calibrated."""
    return _arm(LEADER)


def _arm(table: ArmTable) -> LineSpec:
    servos = []
    for joint in table.joints.values():
        low, high = (-STOPS[1], -STOPS[0]) if joint.drive_mode else STOPS
        servos.append(ServoSpec(joint.motor_id, joint.model, -2048 if joint.drive_mode else 2048, (low, high)))
    return LineSpec(DynamixelServo, tuple(servos), tuple(table.joints), voltage=5.0)
