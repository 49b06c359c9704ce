"""The servos of ALOHA arms.

Sources: models from huggingface/lerobot 0.3.3 (`viperx`, `widowx`); ids, directions, secondary ids and velocity limit
from Interbotix' motor configurations `aloha_vx300s.yaml` and `aloha_wx250s.yaml`.
"""

from collections.abc import Collection, Mapping

from lerobot.aloha_robot.bus import ShadowedBus
from lerobot.dynamixel import DriveMode, OperatingMode
from lerobot.dynamixel.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import ArmTable, Joint

FOLLOWER_MODELS = {
    "waist": "xm540-w270",
    "shoulder": "xm540-w270",
    "shoulder_shadow": "xm540-w270",
    "elbow": "xm540-w270",
    "elbow_shadow": "xm540-w270",
    "forearm_roll": "xm540-w270",
    "wrist_angle": "xm540-w270",
    "wrist_rotate": "xm430-w350",
    "gripper": "xm430-w350",
}

LEADER_MODELS = {
    **dict.fromkeys(FOLLOWER_MODELS, "xm430-w350"),
    "wrist_rotate": "xl430-w250",
    "gripper": "xc430-w150",
}

ENDLESS = {"waist", "forearm_roll", "wrist_rotate"}
"""They turn without stops as far as their cables let them."""

SHADOWS = ShadowedBus.shadows

FOLLOWER_REVERSED = {"shoulder", "elbow", "wrist_angle"}
LEADER_REVERSED = {"shoulder_shadow", "elbow_shadow", "wrist_angle"}
"""Of two servos that face each other, one is reversed."""

EXTENDED = {"Operating_Mode": OperatingMode.EXTENDED_POSITION.value}
"""Plain position mode ignores homing offsets of more than a quarter turn."""

BY_CURRENT = {"Operating_Mode": OperatingMode.CURRENT_POSITION.value}
"""A gripper that holds an object is stalled: its current is limited."""

VELOCITY_LIMIT = {"Velocity_Limit": 131}
"""30 rpm, as the maker advises; position modes do not obey it."""

NO_SECOND_ID = 255


def _table(models: Mapping[str, str], reversed_: Collection[str], *, follows: bool) -> ArmTable:
    ids = {name: motor_id for motor_id, name in enumerate(models, start=1)}
    joints = {}
    for name, model in models.items():
        first = SHADOWS.get(name)
        is_gripper = name == "gripper"
        joints[name] = Joint(
            ids[name],
            model,
            SPEEDS_DEG_S[model],
            is_gripper=is_gripper,
            is_endless=name in ENDLESS,
            settings={
                **(BY_CURRENT if is_gripper and follows else EXTENDED),
                **(VELOCITY_LIMIT if follows else {}),
                "Secondary_ID": ids[first] if first else NO_SECOND_ID,
            },
            calibration_settings=EXTENDED,
            drive_mode=(DriveMode.INVERTED if name in reversed_ else DriveMode.NON_INVERTED).value,
            shadow_of=first,
        )
    return ArmTable(ShadowedBus, joints)


FOLLOWER = _table(FOLLOWER_MODELS, FOLLOWER_REVERSED, follows=True)
LEADER = _table(LEADER_MODELS, LEADER_REVERSED, follows=False)
