"""Virtual arms of Dynamixel servos, and new servos as they leave the factory, for setting up."""

from lerobot.dynamixel.virtual.servo import DynamixelServo
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

HALF_TURN = 2048
STOPS = (700, 3400)


def assembled(table: ArmTable, voltage: float = 5.0) -> LineSpec:
    """A virtual arm as it leaves the workbench, not calibrated.

    Every joint travels over the same part of the turn, with its encoder mounted mid-travel; a reversed one counts it
    backwards.

    Args:
        table: its servos.
        voltage: supply in volts.
    """
    servos = []
    for joint in table.joints.values():
        sign = -1 if joint.drive_mode else 1
        low, high = sorted(sign * stop for stop in STOPS)
        first = table.joints[joint.shadow_of].motor_id if joint.shadow_of else None
        servos.append(ServoSpec(joint.motor_id, joint.model, sign * HALF_TURN, (low, high), shadow_of=first))
    return LineSpec(DynamixelServo, tuple(servos), tuple(table.joints), voltage=voltage)


def xl330_m077() -> LineSpec:
    """One new XL330-M077."""
    return _new("xl330-m077")


def xl330_m288() -> LineSpec:
    """One new XL330-M288."""
    return _new("xl330-m288")


def xl430_w250() -> LineSpec:
    """One new XL430-W250."""
    return _new("xl430-w250")


def xc430_w150() -> LineSpec:
    """One new XC430-W150."""
    return _new("xc430-w150", voltage=12.0)


def xm430_w350() -> LineSpec:
    """One new XM430-W350."""
    return _new("xm430-w350", voltage=12.0)


def xm540_w270() -> LineSpec:
    """One new XM540-W270."""
    return _new("xm540-w270", voltage=12.0)


def _new(model: str, voltage: float = 5.0) -> LineSpec:
    servo = ServoSpec(1, model, registers=DynamixelServo.factory)
    return LineSpec(DynamixelServo, (servo,), ("motor",), voltage=voltage)
