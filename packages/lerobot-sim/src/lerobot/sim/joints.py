"""The six joints of the arm and their units: radians in the physics, the follower's degrees and percent outside.

A position passes through the servo's encoder in both directions (4096 steps a turn), so a reading has the resolution
and the zero of a real, calibrated follower: the middle of the calibrated range.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot.core.types import FeatureSpec

STEPS_PER_TURN = 4096
ZERO_STEP = 2047
"""Encoder reading at the middle pose, where half-turn homing puts it."""

MAX_VELOCITY_RAD_S = 45 * 2 * math.pi / 60
"""No-load speed of an STS3215: 45 rpm."""

Joints = NDArray[np.float64]
"""One value per joint, `(6,)` float64, in the order of `JOINTS`."""


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint and its servo.

    Attributes:
        name: motor name, as in calibration files and feature keys.
        low: lower mechanical limit, rad.
        high: upper mechanical limit, rad.
        full_turn: calibrated over a whole turn (0 to 4095) rather than between its limits.
        percent: 0 (closed) to 100 (open) instead of degrees.
    """

    name: str
    low: float
    high: float
    full_turn: bool = False
    percent: bool = False

    @property
    def range_min(self) -> int:
        """Calibrated lower end, encoder steps."""
        return 0 if self.full_turn else self.step(self.low)

    @property
    def range_max(self) -> int:
        """Calibrated upper end, encoder steps."""
        return STEPS_PER_TURN - 1 if self.full_turn else self.step(self.high)

    def step(self, angle: float) -> int:
        """Encoder reading at an angle in rad."""
        return round(ZERO_STEP + angle * STEPS_PER_TURN / (2 * math.pi))

    def angle(self, step: float) -> float:
        """Angle in rad at an encoder reading, kept between the mechanical limits."""
        return min(max((step - ZERO_STEP) * 2 * math.pi / STEPS_PER_TURN, self.low), self.high)

    def to_units(self, angle: float, *, degrees: bool) -> float:
        """What the follower reports at an angle in rad.

        Source:
            The field's normalisation: degrees are `(step - middle) * 360 / 4095`, unclipped; percent and the
            symmetric range are clipped to the calibrated range.
        """
        step = self.step(angle)
        if degrees and not self.percent:
            return (step - (self.range_min + self.range_max) / 2) * 360 / (STEPS_PER_TURN - 1)
        part = (min(max(step, self.range_min), self.range_max) - self.range_min) / (self.range_max - self.range_min)
        return part * 100 if self.percent else part * 200 - 100

    def to_angle(self, value: float, *, degrees: bool) -> float:
        """Angle in rad a command in the follower's unit asks for, as far as the joint goes."""
        if degrees and not self.percent:
            step = value * (STEPS_PER_TURN - 1) / 360 + (self.range_min + self.range_max) / 2
        else:
            part = value / 100 if self.percent else (value + 100) / 200
            step = min(max(part, 0.0), 1.0) * (self.range_max - self.range_min) + self.range_min
        return self.angle(round(step))

    def feature(self, *, degrees: bool) -> FeatureSpec:
        """Unit, limits and largest speed of `{name}.pos`."""
        low, high = (self.to_units(angle, degrees=degrees) for angle in (self.low, self.high))
        unit = "percent" if self.percent else "deg" if degrees else "m100"
        speed = MAX_VELOCITY_RAD_S * (high - low) / (self.high - self.low)
        return FeatureSpec(unit=unit, range=(low, high), max_velocity=speed)


def _joint(name: str, low_deg: float, high_deg: float, *, full_turn: bool = False, percent: bool = False) -> Joint:
    return Joint(name, math.radians(low_deg), math.radians(high_deg), full_turn, percent)


JOINTS = (
    _joint("shoulder_pan", -110, 110),
    _joint("shoulder_lift", -100, 100),
    _joint("elbow_flex", -96.83, 96.83),
    _joint("wrist_flex", -95, 95),
    _joint("wrist_roll", -157.211, 162.789, full_turn=True),
    _joint("gripper", -10, 100, percent=True),
)

KEYS = tuple(f"{joint.name}.pos" for joint in JOINTS)
"""Keys of the joints in observations and actions."""


def features(*, degrees: bool = True) -> dict[str, FeatureSpec]:
    """Features of the arm's state, and of its command."""
    return {key: joint.feature(degrees=degrees) for key, joint in zip(KEYS, JOINTS, strict=True)}


def to_units(angles: Joints, *, degrees: bool = True) -> dict[str, float]:
    """Readings by key at joint angles in rad."""
    pairs = zip(KEYS, JOINTS, angles, strict=True)
    return {key: joint.to_units(float(angle), degrees=degrees) for key, joint, angle in pairs}


def to_angles(values: list[float], *, degrees: bool = True) -> Joints:
    """Joint angles in rad for one command per joint."""
    return np.array([joint.to_angle(value, degrees=degrees) for joint, value in zip(JOINTS, values, strict=True)])
