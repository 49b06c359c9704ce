"""Where chunks are predicted: beside the control loop, on the time its robot has."""

import threading
from dataclasses import dataclass
from typing import Protocol

from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest, ChunkSource


@dataclass(frozen=True, slots=True)
class Answer:
    """A predicted chunk.

    Attributes:
        request: what it was asked for with.
        chunk: the actions.
        seconds: how long the prediction took.
    """

    request: ChunkRequest
    chunk: ActionChunk
    seconds: float


class Worker(Protocol):
    """Predicts one chunk at a time."""

    @property
    def busy(self) -> bool:
        """Whether a chunk is being predicted, or waits to be taken."""
        ...

    def start(self, request: ChunkRequest) -> None:
        """Begin a prediction; only if not busy."""
        ...

    def finished(self) -> Answer | None:
        """Take the chunk if it is there, without waiting.

        Raises:
            LeRobotError: the prediction failed.
        """
        ...

    def reset(self) -> None:
        """Drop what is being predicted, and let the source forget the episode before it predicts again."""
        ...

    def close(self) -> None:
        """End, once what is being predicted is done, and release the source."""
        ...


class ThreadWorker:
    """Predicts in a thread of its own, in real time.

    Args:
        source: predicts.
    """

    CLOSE_S = 5.0
    """How long `close` waits for a prediction; the thread dies with the process anyway."""

    def __init__(self, source: ChunkSource) -> None:
        self._source = source
        self._clock = MonotonicClock()
        self._changed = threading.Condition()
        self._request: ChunkRequest | None = None
        self._answer: Answer | BaseException | None = None
        self._running = self._reset = self._dropped = self._closed = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """See `Worker.busy`."""
        with self._changed:
            return self._running or self._request is not None or self._answer is not None

    def start(self, request: ChunkRequest) -> None:
        """See `Worker.start`."""
        with self._changed:
            self._request = request
            self._changed.notify()

    def finished(self) -> Answer | None:
        """See `Worker.finished`."""
        with self._changed:
            answer, self._answer = self._answer, None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def reset(self) -> None:
        """See `Worker.reset`."""
        with self._changed:
            self._request, self._reset, self._dropped = None, True, self._running
            # What went wrong stays wrong.
            if not isinstance(self._answer, BaseException):
                self._answer = None

    def close(self) -> None:
        """See `Worker.close`."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(self.CLOSE_S)
        if not self._thread.is_alive():
            self._source.close()

    def _run(self) -> None:
        while (request := self._next()) is not None:
            begun_s = self._clock.now()
            answer: Answer | BaseException
            try:
                chunk = self._source.predict(request)
                answer = Answer(request, chunk, self._clock.now() - begun_s)
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread that drives the robot
                answer = error
            with self._changed:
                self._running = False
                if not self._dropped or isinstance(answer, BaseException):
                    self._answer = answer

    def _next(self) -> ChunkRequest | None:
        """Wait for a request; None to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._request is not None)
            if self._closed:
                return None
            request, self._request = self._request, None
            self._running, self._dropped = True, False
            reset, self._reset = self._reset, False
        if reset:
            self._source.reset()
        return request


class ClockWorker:
    """Predicts at once, and has the chunk ready when the time it took has passed on another clock.

    For robots with a time of their own: a simulation that runs as fast as the computer can meets the same delays as one
    in real time.

    Args:
        source: predicts.
        clock: the robot's.
        seconds: how long predictions take; None for as long as they do.
    """

    def __init__(self, source: ChunkSource, clock: Clock, *, seconds: float | None = None) -> None:
        self._source = source
        self._clock = clock
        self._seconds = seconds
        self._real = MonotonicClock()
        self._answer: Answer | None = None
        self._ready_s = 0.0

    @property
    def busy(self) -> bool:
        """See `Worker.busy`."""
        return self._answer is not None

    def start(self, request: ChunkRequest) -> None:
        """See `Worker.start`."""
        begun_s = self._real.now()
        chunk = self._source.predict(request)
        seconds = self._real.now() - begun_s if self._seconds is None else self._seconds
        self._answer = Answer(request, chunk, seconds)
        self._ready_s = self._clock.now() + seconds

    def finished(self) -> Answer | None:
        """See `Worker.finished`."""
        if self._answer is None or self._clock.now() < self._ready_s:
            return None
        answer, self._answer = self._answer, None
        return answer

    def reset(self) -> None:
        """See `Worker.reset`."""
        self._answer = None
        self._source.reset()

    def close(self) -> None:
        """See `Worker.close`."""
        self._source.close()
