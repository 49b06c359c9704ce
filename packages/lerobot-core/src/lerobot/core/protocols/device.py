"""What every device can do: connect, be calibrated, be configured, close."""

from typing import Protocol, Self, runtime_checkable


@runtime_checkable
class Device(Protocol):
    """Life cycle shared by robots, teleoperators and cameras.

    `disconnect` may be called at any time and any number of times; it releases whatever is still held, also when the
    device is only half connected. Entering the context connects, leaving it disconnects.
    """

    name: str
    """Name of the device class: the folder of its calibration files and a dataset's `robot_type`."""

    @property
    def is_connected(self) -> bool:
        """Whether the device can be used now."""
        ...

    def disconnect(self) -> None:
        """Release the device; never raises because something is already gone."""
        ...

    def __enter__(self) -> Self:
        """Connect."""
        ...

    def __exit__(self, *exc_info: object) -> None:
        """Disconnect."""
        ...


@runtime_checkable
class Calibratable(Device, Protocol):
    """A device whose raw readings need a calibration."""

    def connect(self, calibrate: bool = True) -> None:
        """Open the device and make it ready.

        Args:
            calibrate: run the calibration if there is none that fits the device.

        Raises:
            AlreadyConnectedError: it is connected already.
            DeviceConnectionError: it cannot be reached; says why and what to try.
        """
        ...

    @property
    def is_calibrated(self) -> bool:
        """Whether a calibration is present and equals what the device holds; True if none is needed."""
        ...

    def calibrate(self) -> None:
        """Find the calibration with the user's help, store it and write it to the device."""
        ...

    def configure(self) -> None:
        """Write the settings the device needs for operation; nothing moves and torque is as before."""
        ...
