"""The servos of Koch v1.1 arms."""

from collections.abc import Mapping

from lerobot.dynamixel import DriveMode, DynamixelMotorsBus, OperatingMode
from lerobot.dynamixel.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import ArmTable, Joint

FOLLOWER_MODELS = {
    "shoulder_pan": "xl430-w250",
    "shoulder_lift": "xl430-w250",
    "elbow_flex": "xl330-m288",
    "wrist_flex": "xl330-m288",
    "wrist_roll": "xl330-m288",
    "gripper": "xl330-m288",
}

LEADER_MODELS = dict.fromkeys(FOLLOWER_MODELS, "xl330-m077")

EXTENDED = {"Operating_Mode": OperatingMode.EXTENDED_POSITION.value}
"""Plain position mode ignores homing offsets of more than a quarter turn."""

BY_CURRENT = {"Operating_Mode": OperatingMode.CURRENT_POSITION.value}
"""A gripper that holds an object, or a trigger that a finger holds, is stalled: its current is limited."""

ELBOW_GAINS = {"Position_P_Gain": 1500, "Position_I_Gain": 0, "Position_D_Gain": 600}
"""Stiffer than the servo's own 400, 0, 0: the elbow carries the forearm."""


def _table(models: Mapping[str, str], *, follows: bool) -> ArmTable:
    joints = {}
    for motor_id, (name, model) in enumerate(models.items(), start=1):
        mode = BY_CURRENT if name == "gripper" else EXTENDED
        is_elbow = name == "elbow_flex"
        joints[name] = Joint(
            motor_id,
            model,
            SPEEDS_DEG_S[model],
            is_gripper=name == "gripper",
            is_endless=name in {"shoulder_pan", "wrist_roll"},
            settings={**mode, **ELBOW_GAINS} if is_elbow and follows else mode,
            calibration_settings=EXTENDED,
            drive_mode=(DriveMode.INVERTED if is_elbow and not follows else DriveMode.NON_INVERTED).value,
        )
    return ArmTable(DynamixelMotorsBus, joints)


FOLLOWER = _table(FOLLOWER_MODELS, follows=True)
LEADER = _table(LEADER_MODELS, follows=False)
"""The elbow of a leader is built in the other way round than that of a follower."""
