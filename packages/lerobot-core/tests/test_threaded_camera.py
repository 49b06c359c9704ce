"""The reading half of a camera: what the thread gives, in which form each call returns it, and how it ends."""

import time
from collections.abc import Iterator

import pytest

from lerobot.core.config import CameraConfig
from lerobot.core.errors import DeviceError, DeviceTimeoutError, NotConnectedError
from lerobot.core.threaded_camera import ThreadedCamera


class CountingConfig(CameraConfig):
    target = "nowhere:Nothing"
    type: str = "counting"


class Counting(ThreadedCamera):
    """Gives the numbers 0, 1, 2, ... as pictures, one every five milliseconds."""

    name = "counting"

    def __init__(
        self, ends_after: int | None = None, failure: Exception | None = None, holds_after: int | None = None
    ) -> None:
        super().__init__(CountingConfig())
        self.ends_after = ends_after
        self.holds_after = holds_after
        self.failure = failure

    def connect(self, warmup: bool = True) -> None:
        with self._connecting():
            self._start_reading()

    def _pictures(self) -> Iterator[tuple[float, int]]:
        number = 0
        while number != self.ends_after:
            if self._stopping.wait(None if number == self.holds_after else 0.005):
                return
            yield time.monotonic(), number
            number += 1
        if self.failure:
            raise self.failure


def wait_for_the_end(camera: Counting) -> None:
    while camera._thread is not None and camera._thread.is_alive():
        time.sleep(0.005)


def test_each_picture_is_returned_once_and_in_order() -> None:
    with Counting() as camera:
        numbers = [camera.async_read(timeout_ms=5000) for _ in range(10)]
    assert numbers == sorted(set(numbers))


def test_the_newest_may_be_returned_again() -> None:
    with Counting(holds_after=1) as camera:
        assert [camera.read_latest(max_age_ms=60_000) for _ in range(3)] == [0, 0, 0]
        assert camera.latest_frame() is camera.latest_frame()


def test_reading_waits_for_a_picture_taken_after_the_call() -> None:
    with Counting() as camera:
        asked = time.monotonic()
        camera.read()
        assert camera.latest_frame().time_s > asked


@pytest.mark.parametrize("method", ["latest_frame", "read", "async_read", "read_latest"])
def test_every_call_needs_a_connection(method: str) -> None:
    with pytest.raises(NotConnectedError):
        getattr(Counting(), method)()


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (None, "stopped giving pictures"),
        (OSError("no such device"), "stopped: OSError: no such device"),
        (DeviceError("the cable is out"), "the cable is out"),
    ],
)
@pytest.mark.parametrize("method", ["latest_frame", "read", "async_read", "read_latest"])
def test_the_end_of_the_thread_is_told_to_every_reader(failure: Exception | None, text: str, method: str) -> None:
    with Counting(ends_after=2, failure=failure) as camera:
        wait_for_the_end(camera)
        with pytest.raises(DeviceError, match=text):
            getattr(camera, method)()


def test_a_camera_that_gives_nothing_does_not_connect() -> None:
    camera = Counting(ends_after=0)
    with pytest.raises(DeviceError, match="stopped giving pictures"):
        camera.connect()
    assert not camera.is_connected
    assert camera._thread is None


def test_an_old_picture_is_refused_by_age() -> None:
    with Counting(holds_after=1) as camera:
        time.sleep(0.03)
        with pytest.raises(DeviceTimeoutError, match="expected: at most 20 ms"):
            camera.read_latest(max_age_ms=20)
        assert camera.async_read(timeout_ms=10) == 0
        with pytest.raises(DeviceTimeoutError, match="no new picture within 10 ms"):
            camera.async_read(timeout_ms=10)


def test_it_connects_again_and_counts_from_zero() -> None:
    camera = Counting()
    for _ in range(2):
        camera.connect()
        assert camera.async_read(timeout_ms=5000) <= 3
        camera.disconnect()
