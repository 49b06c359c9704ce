"""Work on images behind the control loop: one thread per camera, a bounded queue, and no image ever dropped."""

import logging
import queue
import threading
import time

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.datasets.format.stats_json import FeatureStats
from lerobot.datasets.statistics.images import ImageStatistics
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.writer.image_log import ImageLog

logger = logging.getLogger(__name__)

Image = npt.NDArray[np.generic]


class ImageQueue:
    """Feeds one sink from a thread of its own and counts what passes.

    A full queue makes `add` wait: an overloaded encoder slows the loop, which shows in `waited_s`, and never loses or
    moves an image.

    Args:
        name: the camera's feature key, for messages.
        sink: takes the images, in order, in the thread.
        channels: channels of an image.
        capacity: images that may wait.
    """

    _CHECK_S = 0.2

    def __init__(self, name: str, sink: VideoFileEncoder | ImageLog, channels: int, capacity: int) -> None:
        self.name = name
        self.sink = sink
        self.waited_s = 0.0
        self._statistics = ImageStatistics(channels)
        self._queue: queue.Queue[Image | None] = queue.Queue(capacity)
        self._failure: BaseException | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"encode {name}", daemon=True)
        self._thread.start()

    def add(self, image: Image) -> None:
        """Hand over the next image, waiting while the queue is full.

        Args:
            image: (H, W, C); must not be changed afterwards.

        Raises:
            DatasetError: the sink failed, now or at an earlier image.
        """
        self._put(image)

    def finish(self) -> FeatureStats:
        """Wait until every image is through and the output is complete.

        Returns:
            Statistics of the images, per channel `(C, 1, 1)`.

        Raises:
            DatasetError: the sink failed.
        """
        if self._thread.is_alive():
            self._put(None)
            self._thread.join()
        self._raise_failure()
        return self._statistics.summary()

    def cancel(self) -> None:
        """Forget the images that wait and let go of the output; never raises."""
        self._cancelled.set()
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=self._CHECK_S)
            except queue.Full:
                continue
            self._thread.join()
        self.sink.abort()

    def _put(self, item: Image | None) -> None:
        self._raise_failure()
        try:
            self._queue.put_nowait(item)
            return
        except queue.Full:
            pass
        started = time.monotonic()
        if self.waited_s == 0.0 and item is not None:
            logger.warning("%s: the encoder does not keep up, so the loop waits; no image is lost", self.name)
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
            while (image := self._queue.get()) is not None:
                if not self._cancelled.is_set():
                    self.sink.add(image)
                    self._statistics.add(image)
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
            f"{self.name}: image {self.sink.images} could not be stored: {self._failure}",
            hint="the episode in progress is lost, saved episodes are not",
        ) from self._failure
