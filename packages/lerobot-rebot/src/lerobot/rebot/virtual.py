"""Virtual reBot arms, as they leave the workbench: assembled, and in their zero pose."""

from lerobot.can.motor import CanMotor
from lerobot.can.virtual.damiao import DamiaoMotor
from lerobot.can.virtual.line_spec import CanLineSpec, Wire
from lerobot.can.virtual.motor import CanMotorSpec
from lerobot.rebot.tables import CAN_IDS, DIRECTIONS, JOINTS, LIMITS, MODELS, SERVO_IDS
from lerobot.rebot.virtual_servo import SmartServoLineSpec, SmartServoSpec


def rebot_b601() -> CanLineSpec:
    """A virtual B601 behind Damiao's adapter."""
    motors = {
        joint: CanMotorSpec(CanMotor(CAN_IDS[joint][0], MODELS[joint], reply_id=CAN_IDS[joint][1]), stops=LIMITS[joint])
        for joint in JOINTS
    }
    return CanLineSpec(DamiaoMotor, motors, Wire.DAMIAO)


def rebot_102() -> SmartServoLineSpec:
    """A virtual 102."""
    servos = {}
    for joint in JOINTS:
        low, high = sorted(end / DIRECTIONS[joint] for end in LIMITS[joint])
        servos[joint] = SmartServoSpec(SERVO_IDS[joint], stops=(low, high))
    return SmartServoLineSpec(servos)
