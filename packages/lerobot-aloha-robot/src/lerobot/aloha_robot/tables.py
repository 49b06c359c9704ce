"""The servos of ALOHA arms.

Sources: models from huggingface/lerobot 0.3.3 (`viperx`, `widowx`); ids, directions, secondary ids and velocity limit
from Interbotix' motor configurations `aloha_vx300s.yaml` and `aloha_wx250s.yaml`. Of two servos that face each other,
one is reversed.
"""

from lerobot.aloha_robot.bus import ShadowedBus
from lerobot.dynamixel.joints import EXTENDED, joint
from lerobot.motors.arms.table import ArmTable

LIMIT = {"Velocity_Limit": 131}
"""30 rpm, as the maker advises; position modes do not obey it."""


def obeying(motor_id: int) -> dict[str, int]:
    """Settings of a servo that hears what another one is told."""
    return {"Secondary_ID": motor_id}


NOBODY = obeying(255)

FOLLOWER = ArmTable(
    ShadowedBus,
    {
        "waist": joint(1, "xm540-w270", settings={**LIMIT, **NOBODY}, is_endless=True),
        "shoulder": joint(2, "xm540-w270", settings={**LIMIT, **NOBODY}, is_reversed=True),
        "shoulder_shadow": joint(3, "xm540-w270", settings={**LIMIT, **obeying(2)}, shadow_of="shoulder"),
        "elbow": joint(4, "xm540-w270", settings={**LIMIT, **NOBODY}, is_reversed=True),
        "elbow_shadow": joint(5, "xm540-w270", settings={**LIMIT, **obeying(4)}, shadow_of="elbow"),
        "forearm_roll": joint(6, "xm540-w270", settings={**LIMIT, **NOBODY}, is_endless=True),
        "wrist_angle": joint(7, "xm540-w270", settings={**LIMIT, **NOBODY}, is_reversed=True),
        "wrist_rotate": joint(8, "xm430-w350", settings={**LIMIT, **NOBODY}, is_endless=True),
        "gripper": joint(9, "xm430-w350", settings={**LIMIT, **NOBODY}, is_gripper=True),
    },
)

LEADER = ArmTable(
    ShadowedBus,
    {
        "waist": joint(1, "xm430-w350", settings=NOBODY, is_endless=True),
        "shoulder": joint(2, "xm430-w350", settings=NOBODY),
        "shoulder_shadow": joint(3, "xm430-w350", settings=obeying(2), is_reversed=True, shadow_of="shoulder"),
        "elbow": joint(4, "xm430-w350", settings=NOBODY),
        "elbow_shadow": joint(5, "xm430-w350", settings=obeying(4), is_reversed=True, shadow_of="elbow"),
        "forearm_roll": joint(6, "xm430-w350", settings=NOBODY, is_endless=True),
        "wrist_angle": joint(7, "xm430-w350", settings=NOBODY, is_reversed=True),
        "wrist_rotate": joint(8, "xl430-w250", settings=NOBODY, is_endless=True),
        "gripper": joint(9, "xc430-w150", settings={**EXTENDED, **NOBODY}, is_gripper=True),
    },
)
