"""The wire to the device. YOURS: replace this class by your SDK or protocol."""

import math
import time

from lerobot.core.errors import DeviceConnectionError

PERIOD_S = 10.0
"""Seconds in which a simulated joint goes there and back."""


class Bus:
    """A leader arm that is simulated: its joints swing slowly.

    Args:
        port: where the device is; only `"virtual"` exists here.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._opened_s = 0.0

    def open(self) -> None:
        """Open the port.

        Raises:
            DeviceConnectionError: there is nothing at this port.
        """
        if self.port != "virtual":
            raise DeviceConnectionError(f"there is no device at {self.port!r}", expected="'virtual', the simulated one")
        self._opened_s = time.monotonic()

    def close(self) -> None:
        """Close the port; closing a closed one does nothing."""

    def read(self) -> float:
        """Measure how far the handle is turned, from -1 to 1."""
        return math.sin(2 * math.pi * (time.monotonic() - self._opened_s) / PERIOD_S)
