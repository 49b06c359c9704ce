"""The bit fields that Damiao and RobStride motors share: position 16, velocity 12, gains 12, torque 12 bits.

Sources: Damiao, "DM-J4310-2EC user manual", sections on MIT mode and feedback; RobStride, "MIT protocol" section.
"""

from lerobot.can.motor import CanModel
from lerobot.motors.errors import MotorValueError

KP_END, KD_END = 500.0, 5.0


def to_field(name: str, value: float, low: float, high: float, bits: int) -> int:
    """Pack a quantity, truncated towards the lower end.

    Raises:
        MotorValueError: it is not on the scale; a gain of 12 sent as 5 would be another robot.
    """
    if not low <= value <= high:
        raise MotorValueError(f"{name} is {value:g}, which no frame can say.", expected=f"{low:g} to {high:g}")
    return int((value - low) / (high - low) * ((1 << bits) - 1))


def from_field(field: int, low: float, high: float, bits: int) -> float:
    """Unpack a quantity."""
    return field * (high - low) / ((1 << bits) - 1) + low


def pack_command(model: CanModel, position: float, velocity: float, kp: float, kd: float, torque: float) -> bytes:
    """The eight bytes of an impedance command.

    Args:
        model: the scales.
        position: goal, rad.
        velocity: goal, rad/s.
        kp: stiffness, Nm/rad.
        kd: damping, Nm s/rad.
        torque: added torque, Nm.

    Raises:
        MotorValueError: one of them is not on its scale.
    """
    q = to_field("position (rad)", position, -model.position, model.position, 16)
    dq = to_field("velocity (rad/s)", velocity, -model.velocity, model.velocity, 12)
    p = to_field("kp", kp, 0, KP_END, 12)
    d = to_field("kd", kd, 0, KD_END, 12)
    tau = to_field("torque (Nm)", torque, -model.torque, model.torque, 12)
    return (q << 48 | dq << 36 | p << 24 | d << 12 | tau).to_bytes(8, "big")


def unpack_command(model: CanModel, data: bytes) -> tuple[float, float, float, float, float]:
    """Position, velocity, kp, kd and torque of an impedance command; what a motor does with it."""
    bits = int.from_bytes(data, "big")
    return (
        from_field(bits >> 48, -model.position, model.position, 16),
        from_field(bits >> 36 & 0xFFF, -model.velocity, model.velocity, 12),
        from_field(bits >> 24 & 0xFFF, 0, KP_END, 12),
        from_field(bits >> 12 & 0xFFF, 0, KD_END, 12),
        from_field(bits & 0xFFF, -model.torque, model.torque, 12),
    )


def pack_feedback(model: CanModel, position: float, velocity: float, torque: float) -> bytes:
    """The five bytes of feedback that follow the motor's id; values beyond a scale read as its end."""
    fields = (
        (position, model.position, 16),
        (velocity, model.velocity, 12),
        (torque, model.torque, 12),
    )
    q, dq, tau = (to_field("", min(max(value, -end), end), -end, end, bits) for value, end, bits in fields)
    return (q << 24 | dq << 12 | tau).to_bytes(5, "big")


def unpack_feedback(model: CanModel, data: bytes) -> tuple[float, float, float]:
    """Position (rad), velocity (rad/s) and torque (Nm) from the five bytes that follow the motor's id."""
    bits = int.from_bytes(data, "big")
    return (
        from_field(bits >> 24, -model.position, model.position, 16),
        from_field(bits >> 12 & 0xFFF, -model.velocity, model.velocity, 12),
        from_field(bits & 0xFFF, -model.torque, model.torque, 12),
    )
