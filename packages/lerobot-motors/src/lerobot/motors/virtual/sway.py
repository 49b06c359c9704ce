"""An invisible hand that keeps an arm in motion."""

import math

from lerobot.motors.virtual.pty_line import PtyLine

SWAY_HZ = 0.2
SWAY = 0.15
"""Amplitude as a part of a joint's travel."""


class Sway:
    """An invisible hand that sways every joint whose torque is off, each a little later than the one before.

    Args:
        line: the joints; where they are now is the middle.
    """

    def __init__(self, line: PtyLine) -> None:
        self._motors = [(motor, motor.position) for motor in line.motors]

    def __call__(self, now: float) -> None:
        """Move the joints to where the hand has them at `now`."""
        for index, (motor, middle) in enumerate(self._motors):
            if not motor.has_torque:
                low, high = motor.stops or (0, 4096)
                phase = 2 * math.pi * SWAY_HZ * now - index / 2
                motor.move_by_hand(middle + SWAY * (high - low) * math.sin(phase))
