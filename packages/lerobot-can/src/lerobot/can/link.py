"""Frames on an open bus: what is lost, damaged, or nobody's."""

from contextlib import suppress

import serial

import can
from lerobot.can.channel import Channel
from lerobot.can.frame import Frame
from lerobot.can.slcan import SlcanAdapter
from lerobot.can.statistics import CanStatistics
from lerobot.core.errors import DeviceConnectionError, NotConnectedError

SEND_TIMEOUT_S = 1.0


class CanLink:
    """Sends and receives frames; a bus that fails is closed and stays so.

    Args:
        port: what leads to the motors.
        channel: how it is opened.

    Attributes:
        statistics: counts since it was opened.
    """

    def __init__(self, port: str, channel: Channel) -> None:
        self.port = port
        self.channel = channel
        self.statistics = CanStatistics(bitrate=channel.bitrate)
        self._bus: can.BusABC | None = None
        self._is_lost = False

    @property
    def is_open(self) -> bool:
        """Whether the bus is open; False too after it was lost."""
        return self._bus is not None

    def open(self) -> None:
        """Open the bus and begin to count.

        Raises:
            DeviceConnectionError: it cannot be opened; says why.
        """
        self._bus = self.channel.open(self.port)
        self._is_lost = False
        self.statistics = CanStatistics(bitrate=self.channel.bitrate)

    def close(self) -> None:
        """Close the bus; calling it again does nothing."""
        bus, self._bus = self._bus, None
        if bus is None:
            return
        with suppress(can.CanError, serial.SerialException, OSError):
            # An adapter that is gone takes no farewell.
            bus.shutdown()

    def require_open(self) -> can.BusABC:
        """The bus.

        Raises:
            NotConnectedError: it is not open, or was lost.
        """
        if self._bus is None:
            if self._is_lost:
                raise NotConnectedError(f"Port '{self.port}' was lost; nothing reaches it any more.", device=self.port)
            raise NotConnectedError(
                f"The bus on port '{self.port}' is not connected.", device=self.port, hint="Call connect() first."
            )
        return self._bus

    def send(self, frame: Frame) -> None:
        """Send a frame; one that an adapter does not take in time is lost, as any frame can be.

        Raises:
            DeviceConnectionError: the bus is gone.
        """
        message = can.Message(
            arbitration_id=frame.id, data=frame.data, is_extended_id=False, is_fd=self.channel.is_fd(self.port)
        )
        try:
            self.require_open().send(message, SEND_TIMEOUT_S)
        except (can.CanError, serial.SerialException, OSError) as error:
            if not isinstance(error.__cause__ or error, serial.SerialTimeoutException):
                raise self._lost(error) from error
        self.statistics.packets += 1
        self.statistics.saw(frame)

    def receive(self, timeout_s: float) -> Frame | None:
        """The next frame; None if none comes in time, or what came is damaged.

        Raises:
            DeviceConnectionError: the bus is gone.
        """
        bus = self.require_open()
        try:
            message = bus.recv(timeout_s)
        except (can.CanError, serial.SerialException, OSError, ValueError, IndexError) as error:
            # python-can reads slcan lines without checking them, and wraps what goes wrong with bytes that are no text.
            if not isinstance(error.__cause__ or error, ValueError | IndexError):
                raise self._lost(error) from error
            self.statistics.corrupt[0] += 1
            self.forget()
            return None
        if message is None:
            return None
        if message.is_error_frame or message.is_remote_frame or message.is_extended_id:
            self.statistics.strangers += 1
            return None
        frame = Frame(message.arbitration_id, bytes(message.data))
        self.statistics.saw(frame)
        return frame

    def forget(self) -> None:
        """Forget what was received but not read, so that half a line damages no other."""
        bus = self.require_open()
        if isinstance(bus, SlcanAdapter):
            try:
                bus.flush()
            except can.CanError as error:
                raise self._lost(error) from error

    def _lost(self, error: Exception) -> DeviceConnectionError:
        self.close()
        self._is_lost = True
        return DeviceConnectionError(
            f"Port '{self.port}' was lost: {error}.",
            device=self.port,
            hint="Check the cable, the adapter and the supply of the motors, then connect again.",
        )
