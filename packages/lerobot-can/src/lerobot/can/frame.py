"""A CAN frame, and a motor's state in one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One data frame with an 11-bit identifier.

    Attributes:
        id: arbitration id.
        data: up to eight bytes.
    """

    id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MotorState:
    """What a motor said about itself in one frame.

    Attributes:
        position: radians from its zero.
        velocity: radians per second.
        torque: newton metres.
        enabled: whether it has torque; None if its protocol does not tell.
        fault: why it has switched itself off; empty if it has not.
        mos_temperature: of its power transistors, Celsius; None if its protocol does not tell.
        rotor_temperature: of its winding, Celsius.
    """

    position: float
    velocity: float
    torque: float
    enabled: bool | None
    fault: str
    mos_temperature: float | None
    rotor_temperature: float
