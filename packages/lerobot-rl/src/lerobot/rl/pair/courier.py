"""The actor's side of the wire: a thread that delivers episodes and fetches weights, whatever interrupts it."""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.remote.wire.client import open_link
from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.handshake import OURS, Description, begin
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rl.config import LearnerConfig
from lerobot.rl.pair.messages import ASK, FETCH, KIND, NUMBER, ROWS, difference, integer, pack_rows, text
from lerobot.rl.transition import Episode

logger = logging.getLogger(__name__)

ANSWER_S = 5.0
"""Longest time for an answer; then the question is asked again."""
TRIES = 20
"""Times it is asked before the connection is given up and made anew."""
AGAIN_S = 0.5
"""Time between two connections."""
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
WEIGHTS = "model.safetensors"


class Connection(Protocol):
    """What is used of a link."""

    name: str

    def send(self, message: Any) -> None:
        """See `Link.send`."""
        ...

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """See `Link.receive`."""
        ...


class Courier:
    """Delivers episodes, and fetches the newest weights; runs while it is entered.

    Args:
        config: where the learner is.
        description: of the actor's own policy and robot; another learner is refused.
        connect: opens a connection; the wire's own if None.
        answer_s: see `ANSWER_S`.
        poll_s: how often to ask for new weights.
    """

    def __init__(
        self,
        config: LearnerConfig,
        description: Description,
        *,
        connect: Callable[[], AbstractContextManager[Connection]] | None = None,
        answer_s: float = ANSWER_S,
        poll_s: float = 0.5,
    ) -> None:
        self.episodes = 0
        """Episodes the learner had when it was asked first; numbers of new ones go on from there."""
        self.delivered = 0
        """Episodes that the learner saved."""
        self._description = description
        self._connect = connect or (lambda: open_link(config.connection(), "the learner"))
        self._answer_s = answer_s
        self._poll_s = poll_s
        self._outbox: deque[Episode] = deque()
        self._lock = threading.Condition()
        self._version = ""
        self._files: dict[str, bytes] = {}
        self._is_new = False
        self._asked = 0
        self._error: LeRobotError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def __enter__(self) -> "Courier":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    # --- for the one who acts ----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look whether the learner is one of another policy.

        Raises:
            RefusedError: it is, or it does not let this actor in.
        """
        if self._error is not None:
            raise self._error

    def send(self, episode: Episode) -> None:
        """Deliver an episode, now or when the learner is there again."""
        with self._lock:
            self._outbox.append(episode)
            self._lock.notify_all()

    @property
    def waiting(self) -> int:
        """Episodes that the learner has not saved yet."""
        with self._lock:
            return len(self._outbox)

    def files(self, timeout_s: float) -> dict[str, bytes] | None:
        """Wait for the first files of a policy; None if none came in time.

        Raises:
            RefusedError: see `check`.
        """
        until = time.monotonic() + timeout_s
        with self._lock:
            while not self._files and self._error is None and (left := until - time.monotonic()) > 0:
                self._lock.wait(min(left, 0.2))
            self._is_new = False
            found = dict(self._files)
        self.check()
        return found or None

    def new_weights(self) -> bytes | None:
        """The newest weights, if they are newer than what was taken last."""
        with self._lock:
            fresh, self._is_new = self._is_new, False
            return self._files.get(WEIGHTS) if fresh else None

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is delivered; false if it was not in time."""
        until = time.monotonic() + timeout_s
        while self.waiting and time.monotonic() < until and self._error is None:
            time.sleep(0.02)
        return not self.waiting

    # --- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        told = False
        while not self._stop.is_set():
            try:
                with self._connect() as link:
                    self._begin(link)
                    logger.info("connected to the learner")
                    told = False
                    self._exchange(link)
            except RefusedError as error:
                self._fail(error)
                return
            except (DeviceConnectionError, WireError) as error:
                if not told:
                    logger.warning("%s Trying again; episodes are kept.", error.what)
                    told = True
                self._stop.wait(AGAIN_S)
            except LeRobotError as error:
                self._fail(error)
                return

    def _fail(self, error: LeRobotError) -> None:
        with self._lock:
            self._error = error
            self._lock.notify_all()

    def _begin(self, link: Connection) -> None:
        hello = link.receive(self._answer_s)
        if hello is None:
            raise WireError("the learner said nothing")
        theirs = Description.read(hello, KIND, "the learner")
        if odd := difference(self._description, theirs):
            raise RefusedError(
                f"the learner has another {odd} than this actor",
                expected="the same settings of policy, robot and cameras at both ends",
            )
        begin(link, theirs, within_s=self._answer_s)  # type: ignore[arg-type] # a link, or what tests put before it

    def _exchange(self, link: Connection) -> None:
        known = False
        while not self._stop.is_set():
            said = self._ask(link, {OURS: ASK})
            if not known:
                known, self.episodes = True, max(self.episodes, integer(said, "episodes"))
            if (version := text(said, "version")) and version != self._version:
                self._fetch(link, version, said.get("files"))
            while not self._stop.is_set() and (episode := self._next()) is not None:
                self._deliver(link, episode)
            with self._lock:
                if not self._outbox:
                    self._lock.wait(self._poll_s)

    def _next(self) -> Episode | None:
        with self._lock:
            return self._outbox[0] if self._outbox else None

    def _deliver(self, link: Connection, episode: Episode) -> None:
        encode, first = PictureEncoder("png"), 0
        while not self._stop.is_set():
            rows = pack_rows(episode, first, encode)
            about = {"episode": episode.id, "task": episode.task, "count": len(episode), "first": first, "rows": rows}
            said = self._ask(link, {OURS: ROWS, **about})
            if said.get("saved") is True:
                break
            first = integer(said, "missing")
            if first > len(episode):
                # All is there; it is safe only once it is on the learner's disk.
                first = len(episode) + 1
                self._stop.wait(0.02)
        else:
            return
        with self._lock:
            self._outbox.popleft()
            self.delivered += 1

    def _fetch(self, link: Connection, version: str, sizes: Any) -> None:
        """Fetch what is needed of a version: all files at first, and later weights alone."""
        if not isinstance(sizes, dict) or not all(isinstance(size, int) for size in sizes.values()):
            raise WireError("the learner offers no files")
        names = [WEIGHTS] if self._files else list(sizes)
        found: dict[str, bytes] = {}
        for name in names:
            if not isinstance(name, str) or not FILE_NAME.fullmatch(name):
                raise WireError(f"the learner offers a file {str(name)[:40]!r}")
            data = bytearray()
            while len(data) < sizes.get(name, 0):
                said = self._ask(link, {OURS: FETCH, "version": version, "file": name, "offset": len(data)})
                part = said.get("data")
                if not isinstance(part, bytes) or not part:
                    # There is a newer version by now.
                    return
                data += part
            found[name] = bytes(data)
        with self._lock:
            self._files |= found
            self._version, self._is_new = version, True
            self._lock.notify_all()

    def _ask(self, link: Connection, question: Mapping[str, Any]) -> dict[str, Any]:
        """Ask until there is an answer.

        Raises:
            DeviceConnectionError: the connection is gone, or nothing comes.
        """
        for _ in range(TRIES):
            self._asked += 1
            link.send({**question, NUMBER: self._asked})
            until = time.monotonic() + self._answer_s
            while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
                said = link.receive(min(left, 0.5))
                if said is not None and said.get(NUMBER) == self._asked:
                    return said
            if self._stop.is_set():
                break
        raise DeviceConnectionError("the learner does not answer.", device="learner")
