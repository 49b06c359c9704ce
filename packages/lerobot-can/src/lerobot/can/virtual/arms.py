"""Single virtual CAN motors, one of each maker."""

from lerobot.can.motor import CanMotor
from lerobot.can.virtual.damiao import DamiaoMotor
from lerobot.can.virtual.line_spec import CanLineSpec
from lerobot.can.virtual.motor import CanMotorSpec
from lerobot.can.virtual.robstride import RobstrideMotor

ROBSTRIDE_HOST = 0xFD


def dm4310() -> CanLineSpec:
    """One Damiao DM4310, id 1, that answers with id 0x11."""
    return CanLineSpec(DamiaoMotor, {"motor": CanMotorSpec(CanMotor(1, "dm4310", reply_id=0x11))})


def robstride_o2() -> CanLineSpec:
    """One RobStride O2, id 1, that answers to host 0xFD."""
    return CanLineSpec(RobstrideMotor, {"motor": CanMotorSpec(CanMotor(1, "o2", reply_id=ROBSTRIDE_HOST))})
