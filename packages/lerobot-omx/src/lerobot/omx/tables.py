"""The servos of OMX arms."""

from collections.abc import Mapping

from lerobot.dynamixel import DriveMode, DynamixelMotorsBus, OperatingMode
from lerobot.dynamixel.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import ArmTable, Joint

FOLLOWER_MODELS = {
    "shoulder_pan": "xl430-w250",
    "shoulder_lift": "xl430-w250",
    "elbow_flex": "xl430-w250",
    "wrist_flex": "xl330-m288",
    "wrist_roll": "xl330-m288",
    "gripper": "xl330-m288",
}

LEADER_MODELS = {**dict.fromkeys(FOLLOWER_MODELS, "xl330-m288"), "gripper": "xl330-m077"}

EXTENDED = {"Operating_Mode": OperatingMode.EXTENDED_POSITION.value}

BY_CURRENT = {"Operating_Mode": OperatingMode.CURRENT_POSITION.value}
"""A gripper that holds an object, or a trigger that a finger holds, is stalled: its current is limited."""

TRIGGER_LIMITS = {"Current_Limit": 100, "Goal_Current": 100}
"""Milliamperes with which a leader's trigger opens: little enough for a finger."""

TRIGGER_OFFSET = 100
"""Homing offset of a leader's trigger, in encoder steps."""

ELBOW_GAINS = {"Position_P_Gain": 1500, "Position_I_Gain": 0, "Position_D_Gain": 600}


def _table(models: Mapping[str, str], first_id: int, *, follows: bool) -> ArmTable:
    joints = {}
    for motor_id, (name, model) in enumerate(models.items(), start=first_id):
        is_gripper = name == "gripper"
        is_trigger = is_gripper and not follows
        extra = TRIGGER_LIMITS if is_trigger else ELBOW_GAINS if follows and name == "elbow_flex" else {}
        joints[name] = Joint(
            motor_id,
            model,
            SPEEDS_DEG_S[model],
            is_gripper=is_gripper,
            settings={**(BY_CURRENT if is_gripper else EXTENDED), **extra},
            calibration_settings=EXTENDED,
            drive_mode=(DriveMode.INVERTED if is_trigger else DriveMode.NON_INVERTED).value,
            homing_offset=TRIGGER_OFFSET if is_trigger else 0,
        )
    return ArmTable(DynamixelMotorsBus, joints, aligned=True)


FOLLOWER = _table(FOLLOWER_MODELS, 11, follows=True)
LEADER = _table(LEADER_MODELS, 1, follows=False)
