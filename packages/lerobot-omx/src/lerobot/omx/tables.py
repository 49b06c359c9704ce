"""The servos of OMX arms."""

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.dynamixel.joints import STIFF, joint
from lerobot.motors.arms.table import ArmTable

GENTLE = {"Current_Limit": 100, "Goal_Current": 100}
"""Milliamperes with which a leader's trigger opens: little enough for a finger."""

FOLLOWER = ArmTable(
    DynamixelMotorsBus,
    {
        "shoulder_pan": joint(11, "xl430-w250"),
        "shoulder_lift": joint(12, "xl430-w250"),
        "elbow_flex": joint(13, "xl430-w250", settings=STIFF),
        "wrist_flex": joint(14, "xl330-m288"),
        "wrist_roll": joint(15, "xl330-m288"),
        "gripper": joint(16, "xl330-m288", is_gripper=True),
    },
    aligned=True,
)

LEADER = ArmTable(
    DynamixelMotorsBus,
    {
        "shoulder_pan": joint(1, "xl330-m288"),
        "shoulder_lift": joint(2, "xl330-m288"),
        "elbow_flex": joint(3, "xl330-m288"),
        "wrist_flex": joint(4, "xl330-m288"),
        "wrist_roll": joint(5, "xl330-m288"),
        "gripper": joint(6, "xl330-m077", settings=GENTLE, is_gripper=True, is_reversed=True, homing_offset=100),
    },
    aligned=True,
)
