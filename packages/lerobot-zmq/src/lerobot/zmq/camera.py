"""A camera of a server that publishes pictures over ZeroMQ."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import zmq
from lerobot.core.capture_clock import CaptureClock
from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError
from lerobot.core.threaded_camera import ThreadedCamera
from lerobot.core.types import Frame
from lerobot.remote.wire.errors import WireError
from lerobot.zmq.config import ZMQCameraConfig
from lerobot.zmq.messages import MAX_MESSAGE_BYTES, SentPicture, decode_message

log = logging.getLogger(__name__)

POLL_MS = 100
WAITING = 2
"""Messages that wait to be read; the server drops others."""
MAX_NAMES = 20


class ZMQCamera(ThreadedCamera):
    """Shows the newest picture of one camera of a server, with the time it was taken at.

    A server that goes away and comes back is heard again; meanwhile its picture gets older, and is refused after
    `timeout_ms`. What is no message is counted and, the first time, told in one line.

    Args:
        config: where the server is, and which of its cameras this is.

    Attributes:
        empty: how many messages had no picture at all, which is normal: the server had nothing new.
        refused: how many messages, or pictures, could not be read.
    """

    name = "zmq"

    def __init__(self, config: ZMQCameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self.empty = self.refused = 0
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._refusal: WireError | None = None
        self._others: set[str] = set()
        self._clock = CaptureClock()
        self._sent_s: float | None = None

    def __str__(self) -> str:
        """Which camera, and where."""
        return f"{self.name}({self.config.camera_name} of {self.config.server_address}:{self.config.port})"

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - the server's camera is warm
        """See `Camera.connect`.

        Raises:
            DeviceConnectionError: no picture of this camera came in time; says what came instead.
        """
        with self._connecting():
            self.width, self.height = self.config.width, self.config.height
            self.empty = self.refused = 0
            self._refusal, self._others = None, set()
            self._clock, self._sent_s = CaptureClock(), None
            self._subscribe()
            try:
                self._start_reading(self.config.timeout_ms / 1000)
            except DeviceTimeoutError as error:
                raise self._nothing_came() from error

    def _subscribe(self) -> None:
        config = self.config
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        self._socket.setsockopt(zmq.RCVHWM, WAITING)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        try:
            self._socket.connect(f"tcp://{config.server_address}:{config.port}")
        except zmq.ZMQError as error:
            raise DeviceConnectionError(
                f"{self}: '{config.server_address}' is no address: {error}.", device=str(self)
            ) from error

    def _nothing_came(self) -> DeviceConnectionError:
        name = self.config.camera_name
        if self._refusal is not None:
            what, expected, hint = f"what comes is of no use: {self._refusal.what}", self._refusal.expected, ""
        elif self._others:
            what, expected = f"the server has no camera '{name}'", f"one of {', '.join(sorted(self._others))}"
            hint = "Name it: camera_name."
        elif self.empty:
            what, expected, hint = f"{self.empty} messages came, none with a picture", "a camera that runs", ""
        else:
            what, expected = "nothing came", ""
            hint = "Start the server there (lerobot image-server, or huggingface/lerobot's), and check the port."
        return DeviceConnectionError(
            f"{self}: {what} within {self.config.timeout_ms:g} ms.", device=str(self), expected=expected, hint=hint
        )

    def _close(self) -> None:
        super()._close()
        if self._context is not None:
            self._context.destroy(linger=0)
            self._context = None

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`.

        Raises:
            DeviceTimeoutError: the newest picture is older than `ZMQCameraConfig.timeout_ms`.
        """
        frame = super().latest_frame()
        age_s = time.monotonic() - frame.time_s
        if age_s * 1000 > self.config.timeout_ms:
            raise DeviceTimeoutError(
                f"{self} has sent no picture for {age_s:.2f} s.",
                device=str(self),
                expected=f"one at least every {self.config.timeout_ms:g} ms",
                hint="Check that the server runs, and the network between.",
            )
        return frame

    # --- the camera's thread -----------------------------------------------------------------------------------------

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        while not self._stopping.is_set():
            sent = self._newest()
            arrived_s = time.monotonic()
            if sent is None or (sent.time_s is not None and sent.time_s == self._sent_s):
                continue
            try:
                image = sent.image(self.config.color_mode)
                self._require_size(image.shape)
            except WireError as error:
                self._refuse(error)
                continue
            self._sent_s = sent.time_s
            yield arrived_s if sent.time_s is None else self._clock.here(sent.time_s, arrived_s), image

    def _newest(self) -> SentPicture | None:
        """The last picture of this camera in what waits; None if there is none."""
        newest = None
        wait_ms = POLL_MS
        # As many as can wait: a server that sends faster than this reads is no endless loop.
        for _ in range(2 * WAITING):
            if not self._socket.poll(wait_ms):
                break
            wait_ms = 0
            newest = self._read(self._socket.recv_multipart()) or newest
        return newest

    def _read(self, frames: list[bytes]) -> SentPicture | None:
        try:
            pictures = decode_message(frames)
        except WireError as error:
            self._refuse(error)
            return None
        if not pictures:
            self.empty += 1
        picture = pictures.get(self.config.camera_name)
        if picture is None and len(self._others) < MAX_NAMES:
            self._others.update(name[:40] for name in list(pictures)[:MAX_NAMES])
        return picture

    def _require_size(self, shape: tuple[int, ...]) -> None:
        """The first picture settles what is not configured."""
        height, width = self.height or shape[0], self.width or shape[1]
        if shape[:2] != (height, width):
            raise WireError(f"a picture is {shape[1]}x{shape[0]}", expected=f"{width}x{height}")
        self.height, self.width = height, width

    def _refuse(self, error: WireError) -> None:
        if self._refusal is None:
            log.warning("%s: %s; more of this kind is only counted", self, error.what)
        self._refusal = error
        self.refused += 1
