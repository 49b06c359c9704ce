"""How a motor goes to a position."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Impedance:
    """As a spring and a damper: torque = kp (goal - position) - kd velocity; what "MIT mode" does.

    Attributes:
        kp: stiffness, 0 to 500 Nm/rad.
        kd: damping, 0 to 5 Nm s/rad.
    """

    kp: float
    kd: float


@dataclass(frozen=True, slots=True)
class PositionVelocity:
    """At a speed, as stiff as the motor's own loops make it.

    Attributes:
        velocity: fastest speed, degrees per second.
    """

    velocity: float


@dataclass(frozen=True, slots=True)
class ForcePosition:
    """At a speed, and with no more than a part of its torque.

    Attributes:
        velocity: fastest speed, degrees per second, up to 37,549 (the field has 16 bits of 0.01 rad/s).
        torque_ratio: largest torque as a part of the motor's own, 0 to 1.
    """

    velocity: float
    torque_ratio: float


Drive: TypeAlias = Impedance | PositionVelocity | ForcePosition
