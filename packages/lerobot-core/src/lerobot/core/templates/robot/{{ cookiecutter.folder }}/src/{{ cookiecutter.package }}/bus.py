"""The wire to the motors. YOURS: replace this class by your SDK or protocol, and keep `robot.py` as it is."""

import time

from lerobot.core.errors import DeviceConnectionError

SPEED = 120.0
"""How fast a simulated joint moves, in its unit per second."""


class Bus:
    """Motors that are simulated: each moves to its target at constant speed while torque is on.

    Args:
        port: where the motors are; only `"virtual"` exists here.
        start: position of each motor when it is first powered.
    """

    def __init__(self, port: str, start: dict[str, float]) -> None:
        self.port = port
        self.torque = False
        self._position = dict(start)
        self._target = dict(start)
        self._time_s = 0.0
        self._is_open = False

    def open(self) -> None:
        """Open the port.

        Raises:
            DeviceConnectionError: there is nothing at this port.
        """
        if self.port != "virtual":
            raise DeviceConnectionError(f"there is no arm at {self.port!r}", expected="'virtual', the simulated arm")
        self._is_open = True
        self._time_s = time.monotonic()

    def close(self) -> None:
        """Close the port; closing a closed one does nothing."""
        self._is_open = False

    def set_torque(self, enabled: bool) -> None:
        """Power the motors, where they stand, or let them go."""
        self.read()
        self._target = dict(self._position)
        self.torque = enabled

    def write(self, targets: dict[str, float]) -> None:
        """Give motors new targets."""
        self.read()
        self._target.update(targets)

    def read(self) -> dict[str, float]:
        """Measure every position."""
        now = time.monotonic()
        reach, self._time_s = SPEED * (now - self._time_s), now
        if self.torque:
            for motor, target in self._target.items():
                way = target - self._position[motor]
                self._position[motor] += max(-reach, min(reach, way))
        return dict(self._position)
