"""Work on pictures behind the control loop: one thread per camera, a bounded queue, and no picture ever dropped."""

import logging
import queue
import threading
import time

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.datasets.format.stats_json import FeatureStats
from lerobot.datasets.statistics.images import PictureStatistics
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.writer.image_log import ImageLog

logger = logging.getLogger(__name__)

Picture = npt.NDArray[np.generic]


class PictureQueue:
    """Feeds one sink from a thread of its own and counts what passes.

    A full queue makes `add` wait: an overloaded encoder slows the loop, which shows in `waited_s`, and never loses or
    moves a picture.

    Args:
        name: the camera's feature key, for messages.
        sink: takes the pictures, in order, in the thread.
        channels: channels of a picture.
        capacity: pictures that may wait.
    """

    _CHECK_S = 0.2

    def __init__(self, name: str, sink: VideoFileEncoder | ImageLog, channels: int, capacity: int) -> None:
        self.name = name
        self.sink = sink
        self.waited_s = 0.0
        self._statistics = PictureStatistics(channels)
        self._queue: queue.Queue[Picture | None] = queue.Queue(capacity)
        self._failure: BaseException | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"encode {name}", daemon=True)
        self._thread.start()

    def add(self, picture: Picture) -> None:
        """Hand over the next picture, waiting while the queue is full.

        Args:
            picture: (H, W, C); must not be changed afterwards.

        Raises:
            DatasetError: the sink failed, now or at an earlier picture.
        """
        self._put(picture)

    def finish(self) -> FeatureStats:
        """Wait until every picture is through and the output is complete.

        Returns:
            Statistics of the pictures, per channel `(C, 1, 1)`.

        Raises:
            DatasetError: the sink failed.
        """
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()
        self._raise_failure()
        return self._statistics.summary()

    def cancel(self) -> None:
        """Forget the pictures that wait and let go of the output; never raises."""
        self._cancelled.set()
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=self._CHECK_S)
            except queue.Full:
                continue
            self._thread.join()
        self.sink.abort()

    def _put(self, item: Picture | None) -> None:
        self._raise_failure()
        try:
            self._queue.put_nowait(item)
            return
        except queue.Full:
            pass
        started = time.monotonic()
        if self.waited_s == 0.0 and item is not None:
            logger.warning("%s: the encoder does not keep up, so the loop waits; no picture is lost", self.name)
        while True:
            try:
                self._queue.put(item, timeout=self._CHECK_S)
                break
            except queue.Full:
                self._raise_failure()
        if item is not None:
            self.waited_s += time.monotonic() - started

    def _run(self) -> None:
        try:
            while (picture := self._queue.get()) is not None:
                if not self._cancelled.is_set():
                    self.sink.add(picture)
                    self._statistics.add(picture)
            if not self._cancelled.is_set():
                self.sink.close()
        except BaseException as error:  # noqa: BLE001 # a thread's error is raised where the recorder can act on it
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is None:
            return
        if isinstance(self._failure, LeRobotError):
            raise self._failure
        raise DatasetError(
            f"{self.name}: picture {self.sink.pictures} could not be stored: {self._failure}",
            hint="the episode in progress is lost, saved episodes are not",
        ) from self._failure
