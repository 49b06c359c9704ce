"""Kinematics of the base: three omnidirectional wheels around its middle, each rolling along its own direction.

A wheel at the angle a rolls at v = cos(a) x + sin(a) y + R theta. The three directions are 120 degrees apart, so the
inverse is as simple: x = 2/3 sum(cos(a) v), y = 2/3 sum(sin(a) v), theta = sum(v) / 3 R.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

WHEEL_RADIUS_M = 0.05
BASE_RADIUS_M = 0.125
"""From the middle of the base to each wheel."""

WHEEL_ANGLES_DEG = {"base_left_wheel": 150.0, "base_back_wheel": -90.0, "base_right_wheel": 30.0}
"""Direction in which each wheel rolls, counter-clockwise from forward."""

STEPS_PER_DEG = 4096 / 360
MAX_WHEEL_STEPS_S = 3000
"""Fastest a wheel is turned, encoder steps/s: 264 degrees/s, just below the no-load speed of an STS3215.

Straight ahead that is 0.266 m/s, sideways 0.230 m/s, turning on the spot 105 degrees/s.
"""

_METRES_PER_STEP = math.radians(1 / STEPS_PER_DEG) * WHEEL_RADIUS_M
_DIRECTIONS = {
    wheel: (math.cos(math.radians(angle)), math.sin(math.radians(angle))) for wheel, angle in WHEEL_ANGLES_DEG.items()
}


@dataclass(frozen=True)
class BodyVelocity:
    """How the body moves.

    Attributes:
        x: forward, m/s.
        y: to the left, m/s.
        theta: counter-clockwise, degrees/s.
    """

    x: float = 0.0
    y: float = 0.0
    theta: float = 0.0

    @classmethod
    def from_wheels(cls, speeds: Mapping[str, float]) -> Self:
        """The velocity at which the wheels turn so fast, in encoder steps/s by name."""
        rolls = {wheel: speeds[wheel] * _METRES_PER_STEP for wheel in _DIRECTIONS}
        return cls(
            x=2 / 3 * sum(_DIRECTIONS[wheel][0] * roll for wheel, roll in rolls.items()),
            y=2 / 3 * sum(_DIRECTIONS[wheel][1] * roll for wheel, roll in rolls.items()),
            theta=math.degrees(sum(rolls.values()) / (3 * BASE_RADIUS_M)),
        )

    def wheels(self) -> dict[str, float]:
        """Encoder steps/s of each wheel, however many they are."""
        turn = math.radians(self.theta) * BASE_RADIUS_M
        return {
            wheel: (forward * self.x + left * self.y + turn) / _METRES_PER_STEP
            for wheel, (forward, left) in _DIRECTIONS.items()
        }

    def reachable(self) -> "BodyVelocity":
        """The same direction, as fast as the wheels can turn; itself if they can turn that fast."""
        fastest = max(abs(speed) for speed in self.wheels().values())
        if fastest <= MAX_WHEEL_STEPS_S:
            return self
        part = MAX_WHEEL_STEPS_S / fastest
        return BodyVelocity(self.x * part, self.y * part, self.theta * part)
