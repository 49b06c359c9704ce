"""The servos of Koch v1.1 arms."""

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.dynamixel.joints import STIFF, joint
from lerobot.motors.arms.table import ArmTable

FOLLOWER = ArmTable(
    DynamixelMotorsBus,
    {
        "shoulder_pan": joint(1, "xl430-w250", is_endless=True),
        "shoulder_lift": joint(2, "xl430-w250"),
        "elbow_flex": joint(3, "xl330-m288", settings=STIFF),
        "wrist_flex": joint(4, "xl330-m288"),
        "wrist_roll": joint(5, "xl330-m288", is_endless=True),
        "gripper": joint(6, "xl330-m288", is_gripper=True),
    },
)

LEADER = ArmTable(
    DynamixelMotorsBus,
    {
        "shoulder_pan": joint(1, "xl330-m077", is_endless=True),
        "shoulder_lift": joint(2, "xl330-m077"),
        "elbow_flex": joint(3, "xl330-m077", is_reversed=True),
        "wrist_flex": joint(4, "xl330-m077"),
        "wrist_roll": joint(5, "xl330-m077", is_endless=True),
        "gripper": joint(6, "xl330-m077", is_gripper=True),
    },
)
"""The elbow of a leader is built in the other way round than that of a follower."""
