"""The Camera protocol."""

from typing import Any, Protocol, runtime_checkable

from lerobot.core.protocols.device import Device
from lerobot.core.types import Frame


@runtime_checkable
class Camera(Device, Protocol):
    """A source of pictures, read by a thread of its own after `connect`.

    Pictures are `(H, W, 3)` uint8 in the configured colour order, or `(H, W, 1)` uint16 millimetres for depth. A camera
    that gives both (`CameraConfig.has_color`, `has_depth`) is a `DepthCamera`, and what stands here is its colour.
    """

    fps: float | None
    """Measured or configured frames per second; None before it is known."""

    width: int | None
    """Picture width in pixels after rotation; None before it is known."""

    height: int | None
    """Picture height in pixels after rotation; None before it is known."""

    def connect(self, warmup: bool = True) -> None:
        """Open the camera and wait for its first picture.

        Args:
            warmup: also wait until exposure has settled.

        Raises:
            AlreadyConnectedError: it is connected already.
            DeviceConnectionError: it cannot be opened or does not give the size and rate that were asked for.
        """
        ...

    def latest_frame(self) -> Frame:
        """Return the newest picture with its capture time and sequence number, without waiting.

        Raises:
            NotConnectedError: not connected.
            DeviceError: there is no picture yet, or the camera stopped.
        """
        ...

    def read(self) -> Any:
        """Wait for a picture captured after this call and return it."""
        ...

    def async_read(self, timeout_ms: float = 200) -> Any:
        """Return the next picture not returned before, each once.

        Raises:
            DeviceTimeoutError: none arrived within `timeout_ms`.
        """
        ...

    def read_latest(self, max_age_ms: float = 500) -> Any:
        """Return the newest picture without waiting; it may be one that was returned before.

        Raises:
            DeviceTimeoutError: the newest is older than `max_age_ms`.
        """
        ...


@runtime_checkable
class DepthCamera(Camera, Protocol):
    """A camera that gives depth beside colour; its depth is read in the same four ways.

    Depth is `(H, W, 1)` uint16 millimetres, 0 where there is none.
    """

    def latest_depth_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        ...

    def read_depth(self) -> Any:
        """See `Camera.read`."""
        ...

    def async_read_depth(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        ...

    def read_latest_depth(self, max_age_ms: float = 500) -> Any:
        """See `Camera.read_latest`."""
        ...
