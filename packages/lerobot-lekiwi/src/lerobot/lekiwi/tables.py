"""The nine servos of a LeKiwi, on one line: an arm as that of an SO-101, and three wheels."""

from lerobot.feetech import FeetechMotorsBus, OperatingMode
from lerobot.feetech.tables import SPEEDS_DEG_S
from lerobot.lekiwi.base import WHEEL_ANGLES_DEG
from lerobot.lekiwi.keys import ARM_JOINTS
from lerobot.motors.arms.table import ArmTable, Joint

MODEL = "sts3215"

POSITION = {"Operating_Mode": OperatingMode.POSITION.value}
VELOCITY = {"Operating_Mode": OperatingMode.VELOCITY.value}
GAINS = {"P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32}


def _joints() -> dict[str, Joint]:
    joints = {}
    for motor_id, name in enumerate((*ARM_JOINTS, *WHEEL_ANGLES_DEG), start=1):
        is_wheel = name in WHEEL_ANGLES_DEG
        joints[name] = Joint(
            motor_id,
            MODEL,
            SPEEDS_DEG_S[MODEL],
            is_gripper=name == "arm_gripper",
            is_endless=is_wheel or name == "arm_wrist_roll",
            settings=VELOCITY if is_wheel else {**POSITION, **GAINS},
            calibration_settings={} if is_wheel else POSITION,
            is_wheel=is_wheel,
        )
    return joints


LEKIWI = ArmTable(FeetechMotorsBus, _joints())
