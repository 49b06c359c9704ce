"""The contract of cameras."""

import threading
import time
from typing import Any, ClassVar

import pytest

from lerobot.core.errors import DeviceTimeoutError, NotConnectedError
from lerobot.core.protocols import Camera
from lerobot.core.protocols.ability import FindsCameras
from lerobot.core.testing.contracts.device import DeviceContract, InjectedFault

TIMEOUT_MS = 10_000.0
"""Generous, so that a busy test machine does not fail a good camera."""


class CameraContract(DeviceContract):
    """A camera without hardware. Supply the fixture `config` with width, height and fps."""

    optional: ClassVar[dict[str, str]] = {"discovery": "the camera class has `find_cameras()`"}

    def use(self, device: Any) -> None:
        """Take the newest picture."""
        device.latest_frame()

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG002 - see base
        """Let the reader thread fail to start."""

        def fail(*_: Any) -> None:
            raise InjectedFault("the thread cannot start, as the contract wants")

        monkeypatch.setattr(threading.Thread, "start", fail)

    def test_it_fulfils_the_protocol(self, device: Any) -> None:
        """The camera has every member of the `Camera` protocol.

        Repair: add the member that is missing; `lerobot.core.protocols.camera` says what it does.
        """
        assert isinstance(device, Camera)

    @pytest.mark.parametrize("method", ["latest_frame", "read", "async_read", "read_latest"])
    def test_every_read_needs_a_connection(self, device: Any, method: str) -> None:
        """All four ways to read raise `NotConnectedError` before `connect`.

        Repair: call `self.require_connected()` first in each of them.
        """
        with pytest.raises(NotConnectedError):
            getattr(device, method)()

    def test_pictures_have_the_configured_size(self, config: Any, connected: Any) -> None:
        """Pictures are `(height, width, 3)` uint8, or `(height, width, 1)` uint16 for depth, as configured.

        Repair: refuse in `connect` a size the camera cannot give; rotate before handing out.
        """
        image = connected.read()
        assert (connected.height, connected.width) == (config.height, config.width)
        assert image.shape[:2] == (config.height, config.width)
        assert (image.shape[2], str(image.dtype)) in {(3, "uint8"), (1, "uint16")}
        assert connected.latest_frame().image.shape == image.shape

    def test_frames_are_counted_and_timed(self, connected: Any) -> None:
        """Frames carry growing sequence numbers and capture times that lie in the past.

        Repair: count at the source and stamp with `time.monotonic()` before decoding.
        """
        frames = []
        for _ in range(4):
            connected.read()
            frames.append(connected.latest_frame())
        now = time.monotonic()
        sequences = [frame.sequence for frame in frames]
        times = [frame.time_s for frame in frames]
        assert sequences == sorted(set(sequences)), "each read() waits for a frame of its own"
        assert times == sorted(set(times))
        assert times[-1] <= now

    def test_read_waits_for_a_picture_taken_after_the_call(self, connected: Any) -> None:
        """`read` returns what the scene looks like now, not what lay in a buffer.

        Repair: wait until a frame arrives whose capture time is later than the call.
        """
        asked = time.monotonic()
        connected.read()
        assert connected.latest_frame().time_s >= asked

    def test_async_read_gives_each_picture_once(self, connected: Any) -> None:
        """Asked again at once, `async_read` waits for the next picture and times out if none comes.

        Repair: remember the sequence number that was delivered last; clear it under the lock that stores frames.
        """
        for _ in range(50):
            connected.async_read(timeout_ms=TIMEOUT_MS)
            try:
                connected.async_read(timeout_ms=0)
            except DeviceTimeoutError:
                return
        pytest.fail("async_read(timeout_ms=0) right after another never timed out: pictures are delivered twice")

    def test_read_latest_refuses_old_pictures(self, connected: Any) -> None:
        """`read_latest` does not wait, may repeat a picture, and raises when it is older than allowed.

        Repair: compare the age of the newest frame with `max_age_ms`.
        """
        assert connected.read_latest(max_age_ms=TIMEOUT_MS) is not None
        with pytest.raises(DeviceTimeoutError):
            connected.read_latest(max_age_ms=0)

    def test_cameras_can_be_found(self, device: Any) -> None:
        """`find_cameras` describes what is attached: `name`, `type` and `id` of each.

        Repair: return a list of dicts with these keys; declare `discovery`.
        """
        cls: Any = type(device)
        self.require("discovery", isinstance(cls, FindsCameras))
        for found in cls.find_cameras():
            assert {"name", "type", "id"} <= set(found)
