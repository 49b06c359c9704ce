"""A virtual LeKiwi."""

from lerobot.feetech.virtual import FeetechServo
from lerobot.lekiwi.tables import LEKIWI
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

STOPS = {
    "arm_shoulder_pan": (750, 3350),
    "arm_shoulder_lift": (800, 3200),
    "arm_elbow_flex": (850, 3100),
    "arm_wrist_flex": (850, 3200),
    "arm_wrist_roll": (130, 3990),
    "arm_gripper": (2030, 3500),
}
"""Travel of the joints, as those of an SO-101; the wheels turn freely."""


def lekiwi() -> LineSpec:
    """A virtual LeKiwi, as it leaves the workbench: assembled, not calibrated."""
    servos = tuple(
        ServoSpec(joint.motor_id, joint.model, 2048 if joint.is_wheel else max(2048, STOPS[name][0]), STOPS.get(name))
        for name, joint in LEKIWI.joints.items()
    )
    return LineSpec(FeetechServo, servos, tuple(LEKIWI.joints))
