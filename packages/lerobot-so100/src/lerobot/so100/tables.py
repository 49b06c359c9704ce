"""The servos of SO-100 and SO-101 arms: the arms differ in their prints, not in their electronics."""

from lerobot.feetech import FeetechMotorsBus, OperatingMode
from lerobot.feetech.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import ArmTable, Joint

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")

POSITION = {"Operating_Mode": OperatingMode.POSITION.value}

GAINS = {"P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32}
"""Of every joint; the configuration changes them."""

GRIPPER_LIMITS = {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25}
"""Half the torque, half the current, and a quarter of the torque once overloaded: a gripper that holds an object is
stalled all the time and would burn out."""


def _table(*, follows: bool) -> ArmTable:
    joints = {}
    for motor_id, name in enumerate(JOINTS, start=1):
        limits = GRIPPER_LIMITS if name == "gripper" else {}
        joints[name] = Joint(
            motor_id,
            "sts3215",
            SPEEDS_DEG_S["sts3215"],
            is_gripper=name == "gripper",
            is_endless=name == "wrist_roll",
            settings={**POSITION, **GAINS, **limits} if follows else POSITION,
            calibration_settings=POSITION,
        )
    return ArmTable(FeetechMotorsBus, joints)


FOLLOWER = _table(follows=True)
LEADER = _table(follows=False)
