"""What a virtual arm of any protocol is made of."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual.pty_line import PtyLine


class ArmSpec(Protocol):
    """Motors of one line, not running; what an entry point of `lerobot.virtual_arms` returns."""

    @property
    def protocol(self) -> type[Any]:
        """Class of the motors."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Joint names, in the order of the chain."""
        ...

    @property
    def ids(self) -> Mapping[str, int]:
        """Id each motor is built in with, by joint name."""
        ...

    @property
    def stops(self) -> Mapping[int, tuple[float, float]]:
        """Ends of the travel of each joint that has ends, in its motor's own steps, by id."""
        ...

    def seeded(self, seed: int) -> Self:
        """The same arm with another seed of everything random."""
        ...

    def holding(self, calibration: Mapping[str, MotorCalibration]) -> Self:
        """The same arm, calibrated.

        Raises:
            CalibrationError: the calibration names a joint the arm does not have, or values its motors cannot hold.
        """
        ...

    def open(self, now: float) -> PtyLine:
        """Switch the motors on, behind a pseudo-terminal, at a monotonic time."""
        ...
