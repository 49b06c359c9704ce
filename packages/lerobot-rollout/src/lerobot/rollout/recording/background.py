"""Rows on their way into a dataset, while the robot goes on."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lerobot.datasets.writer.recorder import DatasetRecorder, SavedEpisode


@dataclass(frozen=True, slots=True)
class _Row:
    values: Mapping[str, Any]
    task: str


@dataclass(frozen=True, slots=True)
class _Save:
    labels: Mapping[str, Any]


class BackgroundRecorder:
    """Takes rows at once, and encodes and commits them in a thread of its own.

    Rows never get lost: once so many wait, taking one waits as well.

    Args:
        recorder: stores them; nobody else uses it before `close`.
        capacity: rows that may wait.
        on_saved: told of each saved episode, in the thread.
    """

    def __init__(self, recorder: DatasetRecorder, capacity: int, on_saved: Callable[[SavedEpisode], None]) -> None:
        self.waited_s = 0.0
        """Seconds that the control loop has waited."""
        self._recorder = recorder
        self._on_saved = on_saved
        self._waiting: queue.Queue[_Row | _Save | None] = queue.Queue(capacity)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def add(self, row: Mapping[str, Any], task: str) -> None:
        """Take a row of the episode in progress; images are copied.

        Raises:
            DatasetError: an earlier row or episode could not be stored.
        """
        values = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in row.items()}
        self._put(_Row(values, task))

    def save(self, labels: Mapping[str, Any]) -> None:
        """End the episode in progress, with the same value of some columns in each of its rows.

        Raises:
            DatasetError: an earlier row or episode could not be stored.
        """
        self._put(_Save(labels))

    def close(self) -> None:
        """Wait until everything is stored.

        Raises:
            DatasetError: something could not be.
        """
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        self._raise()

    def _put(self, item: _Row | _Save) -> None:
        self._raise()
        begun_s = time.monotonic()
        self._waiting.put(item)
        self.waited_s += time.monotonic() - begun_s

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self) -> None:
        failed = False
        while (item := self._waiting.get()) is not None:
            if failed:
                # Whoever waits for room must be let go, to learn what happened.
                continue
            try:
                self._store(item)
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread that records
                self._error, failed = error, True

    def _store(self, item: _Row | _Save) -> None:
        if isinstance(item, _Row):
            self._recorder.add_frame(item.values, item.task)
            return
        if item.labels:
            self._recorder.label_episode(item.labels)
        self._on_saved(self._recorder.save_episode())
