"""Adapters that speak slcan text on a serial port."""

import os

from can.interfaces.slcan import slcanBus

PAUSE_S = 0.1
"""How long an adapter may take to be ready after its port was opened."""


class SlcanAdapter(slcanBus):
    """The adapter as a bus of python-can, for this program alone.

    The port is claimed before a byte is sent: a second program would close the bus of the first by opening it.

    Args:
        channel: its serial port.
        bitrate: bits per second of the CAN bus.
    """

    def __init__(self, channel: str, bitrate: int) -> None:
        self._claim = _claim(channel)
        try:
            super().__init__(channel, bitrate=bitrate, sleep_after_open=PAUSE_S)
        except BaseException:
            self._release()
            raise

    def shutdown(self) -> None:
        """See `can.BusABC.shutdown`; the port is closed also if the adapter is gone."""
        try:
            super().shutdown()
        finally:
            self.serialPortOrig.close()
            self._release()

    def _release(self) -> None:
        claim, self._claim = self._claim, None
        if claim is not None:
            os.close(claim)


def _claim(path: str) -> int | None:
    """Lock a port as pyserial does; Windows does so by itself.

    Raises:
        OSError: there is no such port, or another program has it.
    """
    if os.name != "posix":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
