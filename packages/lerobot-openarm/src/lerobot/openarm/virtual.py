"""Virtual OpenArms, and a virtual OpenArm mini."""

from lerobot.can.motor import CanMotor
from lerobot.can.virtual import CanLineSpec, CanMotorSpec, DamiaoMotor
from lerobot.feetech.virtual.servo import FeetechServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec
from lerobot.openarm.joints import LIMITS, MOTORS
from lerobot.openarm.mini import TABLE

BEYOND_DEG = 5.0
"""How far the stops lie beyond the limits of a left and of a right arm."""

MINI_GRIPPER = (1500, 2500)


def openarm() -> CanLineSpec:
    """A virtual OpenArm, left or right, that hangs at its zero; slcan."""
    motors = {}
    for name, (send_id, reply_id, model) in MOTORS.items():
        ends = [end for limits in LIMITS.values() for end in limits[name]]
        stops = (min(ends) - BEYOND_DEG, max(ends) + BEYOND_DEG)
        motors[name] = CanMotorSpec(CanMotor(send_id, model, reply_id=reply_id), 0.0, stops)
    return CanLineSpec(DamiaoMotor, motors)


def openarm_mini() -> LineSpec:
    """A virtual OpenArm mini, as it leaves the workbench: assembled, not calibrated."""
    servos = tuple(
        ServoSpec(joint.motor_id, joint.model, 2048, MINI_GRIPPER if joint.is_gripper else (1000, 3100))
        for joint in TABLE.joints.values()
    )
    return LineSpec(FeetechServo, servos, tuple(TABLE.joints))
