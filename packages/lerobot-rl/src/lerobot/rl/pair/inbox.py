"""The learner's side of the wire: takes rows in, gives files out; the learning itself knows nothing of it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.handshake import OURS, READY, Description, check_begin
from lerobot.remote.wire.link import Link
from lerobot.rl.pair.messages import ASK, FETCH, MOST_ROWS, PART_BYTES, ROWS, answer, integer, read_row, text
from lerobot.rl.transition import Episode, Frame, Transition

BEGIN_S = 30.0
MOST_UNFINISHED = 8
"""Episodes whose rows have not all come; the oldest is forgotten, and sent again."""


@dataclass(slots=True)
class _Unfinished:
    """Rows of an episode that came so far, by place."""

    count: int
    task: str
    rows: dict[int, Transition | Frame] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """The first place that is missing; one behind the last if none is."""
        return next((place for place in range(self.count + 1) if place not in self.rows), self.count + 1)


class Inbox:
    """Serves actors; see `lerobot.rl.pair.messages`. Several threads call it.

    Args:
        description: what both ends must agree on.
        saved: ids of the episodes that are saved already.
    """

    def __init__(self, description: Description, saved: set[str]) -> None:
        self.actors = 0
        """How many are connected."""
        self._description = description
        self._lock = threading.Lock()
        self._saved = set(saved)
        self._unfinished: dict[str, _Unfinished] = {}
        self._whole: dict[str, Episode] = {}
        self._version = ""
        self._files: Mapping[str, bytes] = {}

    # --- for the one who learns --------------------------------------------------------------------------------------

    def publish(self, version: str, files: Mapping[str, bytes]) -> None:
        """Offer the files of a policy; they take the place of those before."""
        with self._lock:
            self._version, self._files = version, files

    def take(self) -> list[Episode]:
        """Episodes that are whole and not saved, in the order in which they came."""
        with self._lock:
            return list(self._whole.values())

    def confirm(self, episode: Episode) -> None:
        """Say that an episode is saved: from now on the actor may forget it."""
        with self._lock:
            self._saved.add(episode.id)
            self._whole.pop(episode.id, None)

    # --- for connections ---------------------------------------------------------------------------------------------

    def serve(self, link: Link) -> None:
        """Answer one actor until it is gone.

        Raises:
            RefusedError: it means another policy or robot.
            WireError: it says something that cannot be.
            DeviceConnectionError: it is gone.
        """
        link.send(self._description.message())
        hello = link.receive(BEGIN_S)
        if hello is None:
            raise RefusedError("a client said nothing", expected="an actor")
        check_begin(hello, self._description)
        link.send({OURS: READY})
        with self._lock:
            self.actors += 1
        try:
            while True:
                question = link.receive()
                if question is not None:
                    link.send(self._answer(question))
        finally:
            with self._lock:
                self.actors -= 1

    def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            match question.get(OURS):
                case kind if kind == ASK:
                    files = {name: len(data) for name, data in self._files.items()}
                    episodes = len(self._saved) + len(self._whole)
                    return answer(question, version=self._version, files=files, episodes=episodes)
                case kind if kind == ROWS:
                    return answer(question, **self._taken(question))
                case kind if kind == FETCH:
                    return answer(question, **self._part(question))
        raise WireError(f"a question is {str(question.get(OURS))[:40]!r}", expected=f"{ASK}, {ROWS} or {FETCH}")

    def _taken(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Take rows in; says what is still missing of their episode, or that it is saved."""
        name, count, first = text(question, "episode"), integer(question, "count"), integer(question, "first")
        rows = question.get("rows")
        if not isinstance(rows, list) or not 1 <= count <= MOST_ROWS or first + len(rows) > count + 1:
            raise WireError(f"episode {name} has rows that cannot be")
        if name in self._saved:
            return {"saved": True, "missing": count + 1}
        if name in self._whole:
            return {"saved": False, "missing": count + 1}
        part = self._unfinished.setdefault(name, _Unfinished(count, text(question, "task")))
        for place, row in enumerate(rows, start=first):
            read = read_row(row)
            if isinstance(read, Transition) == (place == count):
                raise WireError(f"row {place} of {count} of episode {name} is of the wrong kind")
            part.rows.setdefault(place, read)
        if part.missing > part.count:
            del self._unfinished[name]
            self._whole[name] = _episode(name, part)
        while len(self._unfinished) > MOST_UNFINISHED:
            del self._unfinished[next(iter(self._unfinished))]
        return {"saved": False, "missing": part.missing}

    def _part(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """A part of a file; of another version than was asked for there is none."""
        version, name, offset = text(question, "version"), text(question, "file"), integer(question, "offset")
        if version != self._version or name not in self._files:
            return {"version": self._version, "data": b""}
        return {"version": version, "data": self._files[name][offset : offset + PART_BYTES]}


def _episode(name: str, part: _Unfinished) -> Episode:
    transitions = [row for place in range(part.count) if isinstance(row := part.rows[place], Transition)]
    last = part.rows[part.count]
    if isinstance(last, Transition) or len(transitions) != part.count:
        raise WireError(f"episode {name} has rows of the wrong kind")
    return Episode(name, transitions, last, part.task)
