"""The thread in which a device of a network receives, whatever its wire: ZeroMQ, HTTP, WebSocket."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lerobot.core.errors import DeviceError
from lerobot.remote.newest import Newest, Timed

T = TypeVar("T")

POLL_S = 0.1
"""Longest time that receiving waits before it looks whether it shall end."""


class Receiver(Generic[T]):
    """Calls a function that receives, again and again, and keeps the newest value it gave.

    A device starts it inside `self._connecting()` and stops it first thing in `_close`; only then may the device close
    its socket, so that nobody uses it from two threads.

    Args:
        name: of the device, for messages and the thread.
        receive: waits at most so many seconds and gives what came, or None. A `Timed` says when it was measured;
            everything else was measured when it came. It gives the last of what waits, where its wire queues. What it
            raises ends the thread and is told to readers; it skips what it cannot read, and reconnects if it can.
        max_age_s: an older value is not given out; seconds.

    Attributes:
        newest: what came last.
    """

    def __init__(self, name: str, receive: Callable[[float], "T | Timed[T] | None"], *, max_age_s: float) -> None:
        self.newest: Newest[T] = Newest(name, max_age_s=max_age_s)
        self._receive = receive
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, first_within_s: float) -> Timed[T]:
        """Start the thread and wait for the first value.

        Raises:
            DeviceTimeoutError: none came within `first_within_s` seconds.
            DeviceError: receiving failed.
        """
        self._stopping.clear()
        self.newest.clear()
        thread = threading.Thread(target=self._run, name=f"{self.newest.name} receiver", daemon=True)
        thread.start()
        self._thread = thread
        return self.newest.wait(timeout_s=first_within_s)

    def stop(self) -> None:
        """End the thread and wait for it; may be called in any state."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        name = self.newest.name
        try:
            while not self._stopping.is_set():
                came = self._receive(POLL_S)
                if isinstance(came, Timed):
                    self.newest.put(came.value, came.time_s)
                elif came is not None:
                    self.newest.put(came)
        except DeviceError as error:
            self.newest.fail(error)
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is told to whoever reads next
            failure = DeviceError(f"{name} stopped: {type(error).__name__}: {error}", device=name)
            failure.__cause__ = error
            self.newest.fail(failure)
