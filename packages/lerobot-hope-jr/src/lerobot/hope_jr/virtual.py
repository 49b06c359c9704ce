"""Virtual HopeJR arms and hands."""

from lerobot.feetech.virtual import FeetechServo
from lerobot.hope_jr.tables import ARM, HANDS
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

ARM_STOPS = (1000, 3000)
HAND_STOPS = (200, 900)

ARM_FIRMWARE = {"sm8512bl": {"Firmware_Minor_Version": 7}, "sts3250": {"Firmware_Minor_Version": 10}}
"""Models have firmware of their own."""


def hope_jr_arm() -> LineSpec:
    """A virtual arm, as it leaves the workbench: assembled, not calibrated."""
    servos = tuple(
        ServoSpec(joint.motor_id, joint.model, 2048, ARM_STOPS, ARM_FIRMWARE[joint.model])
        for joint in ARM.joints.values()
    )
    return LineSpec(FeetechServo, servos, tuple(ARM.joints), voltage=12.0)


def hope_jr_hand() -> LineSpec:
    """A virtual hand, left or right, as it leaves the workbench: assembled, not calibrated."""
    joints = HANDS["right"].joints
    servos = tuple(ServoSpec(joint.motor_id, joint.model, 512, HAND_STOPS) for joint in joints.values())
    return LineSpec(FeetechServo, servos, tuple(joints), voltage=6.0)
