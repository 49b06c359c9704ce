"""The servos of the HopeJR arm and hand."""

from lerobot.feetech import FeetechMotorsBus
from lerobot.feetech.tables import SPEEDS_DEG_S
from lerobot.motors.arms.table import ArmTable, Joint
from lerobot.motors.motor import Motor, MotorCalibration

ARM_MODELS = {
    "shoulder_pitch": "sm8512bl",
    "shoulder_yaw": "sts3250",
    "shoulder_roll": "sts3250",
    "elbow_flex": "sts3250",
    "wrist_roll": "sts3250",
    "wrist_yaw": "sts3250",
    "wrist_pitch": "sts3250",
}

ACCELERATION = 30
"""Of every joint of the arm, and its limit, in 100 steps/s^2."""

THUMB = ("thumb_cmc", "thumb_mcp", "thumb_pip", "thumb_dip")
FINGERS = ("index", "middle", "ring", "pinky")
HAND_JOINTS = (
    *THUMB,
    *(f"{finger}_{part}" for finger in FINGERS for part in ("radial_flexor", "ulnar_flexor", "pip_dip")),
)

INVERTED = {
    "right": frozenset(
        {
            "thumb_mcp",
            "thumb_dip",
            "index_ulnar_flexor",
            "middle_ulnar_flexor",
            "ring_ulnar_flexor",
            "ring_pip_dip",
            "pinky_ulnar_flexor",
            "pinky_pip_dip",
        }
    ),
    "left": frozenset(
        {
            "thumb_cmc",
            "thumb_mcp",
            "thumb_dip",
            "index_radial_flexor",
            "index_pip_dip",
            "middle_radial_flexor",
            "middle_pip_dip",
            "ring_radial_flexor",
            "ring_pip_dip",
            "pinky_radial_flexor",
        }
    ),
}
"""Joints whose servo pulls the tendon the other way, by side."""


class HandBus(FeetechMotorsBus):
    """The SCS servos of a hand, which speak protocol 1.

    Args:
        port: serial port.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name.
    """

    def __init__(
        self, port: str, motors: dict[str, Motor], calibration: dict[str, MotorCalibration] | None = None
    ) -> None:
        super().__init__(port, motors, calibration, protocol_version=1)


def _hand(side: str) -> ArmTable:
    joints = {}
    for motor_id, name in enumerate(HAND_JOINTS, start=1):
        drive_mode = int(name in INVERTED[side])
        # A finger opens and closes, as a gripper does: its unit is 0 to 100.
        joints[name] = Joint(motor_id, "scs0009", SPEEDS_DEG_S["scs0009"], is_gripper=True, drive_mode=drive_mode)
    return ArmTable(HandBus, joints)


ARM = ArmTable(
    FeetechMotorsBus,
    {
        name: Joint(motor_id, model, SPEEDS_DEG_S[model])
        for motor_id, (name, model) in enumerate(ARM_MODELS.items(), start=1)
    },
)
HANDS = {side: _hand(side) for side in INVERTED}
"""Hands by side."""
