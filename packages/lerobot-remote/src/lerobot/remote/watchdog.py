"""What happens when commands stop coming."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Watchdog:
    """Acts, in a thread of its own, once nobody has fed it for some time; again after the next feeding.

    For a robot over a network that goes on moving when its commander falls silent and has no watchdog itself: every
    command feeds it, and what it does is to send the command to stop. The host of a robot needs none, see
    `lerobot.core.safety.GatedRobot.hold`.

    Args:
        limit_s: seconds without feeding after which it acts.
        act: what it does. It is called while others may be talking to the robot, so it takes the device's lock. What
            it raises is logged, and it is tried again after the same time.
        name: for messages and the thread.
    """

    def __init__(self, limit_s: float, act: Callable[[], object], *, name: str) -> None:
        self.limit_s = limit_s
        self._act = act
        self._name = name
        self._changed = threading.Condition()
        self._due_s: float | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; it waits for the first feeding."""
        self._stopping, self._due_s = False, None
        self._thread = threading.Thread(target=self._run, name=f"{self._name} watchdog", daemon=True)
        self._thread.start()

    def feed(self) -> None:
        """Say that a command came."""
        with self._changed:
            self._due_s = time.monotonic() + self.limit_s
            self._changed.notify()

    def stop(self) -> None:
        """End the thread and wait for it, without acting; may be called in any state."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while self._wait_until_hungry():
            try:
                self._act()
            except Exception:  # a robot that did not take the command once may take it the next time
                log.exception("%s: what follows %g s of silence failed", self._name, self.limit_s)
                self.feed()

    def _wait_until_hungry(self) -> bool:
        """Wait until it is time to act; False once it shall end."""
        with self._changed:
            while not self._stopping:
                left = None if self._due_s is None else self._due_s - time.monotonic()
                if left is not None and left <= 0:
                    self._due_s = None
                    return True
                self._changed.wait(left)
            return False
