"""The safety log: what a run asked for and did not get, in `<home>/safety/DATE_TIME_PROCESS.jsonl`.

A line is an object: `time` (seconds since 1970), `source` (what commanded), `limits` (the reason by key), `asked` and
`sent` (values of these keys) and `count` (how many commands were changed in this way since the line before about it).
"""

import json
import logging
import math
import os
import reprlib
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from lerobot.core.paths import lerobot_home
from lerobot.core.words import counted

log = logging.getLogger(__name__)

PERIOD_S = 1.0
"""The same limits are written down at most once in this time."""

MOST_BYTES, MOST_FILES = 2_000_000, 100
"""A log grows no larger, and the oldest ones are removed: all of them together stay below 200 MB."""


class InterventionLog:
    """Counts changed commands, and writes them down in a thread of its own: the control loop never waits for a disk.

    The file is made with the first line. A disk that takes no more ends the writing, not the run.

    Args:
        folder: where files are made.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        """Changed commands by limit, since the last `settle`; a command that several limits changed counts for each."""
        self._folder = folder
        self._changed = 0
        self._pending: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._written_s: dict[tuple[Any, ...], float] = {}
        self._lines: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._writer: _Writer | None = None

    def add(self, source: str, asked: Mapping[str, Any], sent: Mapping[str, Any], limits: Mapping[str, str]) -> None:
        """Take note of a command that was changed.

        Args:
            source: what commanded.
            asked: what was asked for; anything may stand in it.
            sent: what was sent instead.
            limits: the reason by key.
        """
        self.counts.update(set(limits.values()))
        self._changed += 1
        kind = (source, *sorted(limits.items()))
        now_s = time.monotonic()
        line = self._pending.get(kind)
        if line is None:
            line = self._pending[kind] = {"source": source, "limits": dict(limits), "count": 0}
        line |= {"time": time.time(), "asked": asked, "sent": sent, "count": line["count"] + 1}
        if now_s - self._written_s.get(kind, -math.inf) >= PERIOD_S:
            self._written_s[kind] = now_s
            self._write(self._pending.pop(kind))

    def settle(self) -> None:
        """End a run: everything is on the disk, one line says what there was, and the counts begin anew."""
        for line in self._pending.values():
            self._write(line)
        path = None
        if self._writer is not None:
            self._lines.put(None)
            self._writer.join()
            path = self._writer.path
        if self._changed:
            told = ", ".join(f"{limit} {count}" for limit, count in self.counts.most_common())
            where = "" if path is None else f"; see {path}"
            log.warning("the safety gate changed %s: %s%s", counted(self._changed, "command"), told, where)
        self._writer, self._changed = None, 0
        for each in (self.counts, self._pending, self._written_s):
            each.clear()

    def _write(self, line: dict[str, Any]) -> None:
        if self._writer is None:
            self._writer = _Writer(self._folder, self._lines)
            self._writer.start()
        values = {name: _plain(line[name], line["limits"]) for name in ("asked", "sent")}
        self._lines.put({"time": line["time"], **line, **values})


class _Writer(threading.Thread):
    """Writes lines until there is a None."""

    def __init__(self, folder: Path, lines: "SimpleQueue[dict[str, Any] | None]") -> None:
        super().__init__(name="safety log", daemon=True)
        self.path: Path | None = None
        self._folder = folder
        self._lines = lines
        self._is_over = False

    def run(self) -> None:
        try:
            self._write_all()
        except OSError as error:
            log.error("the safety log %s cannot be written: %s", self._folder, error)
            while not self._is_over:
                self._next()

    def _next(self) -> dict[str, Any] | None:
        line = self._lines.get()
        self._is_over = line is None
        return line

    def _write_all(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._folder.glob("*.jsonl"))[: -(MOST_FILES - 1)]:
            old.unlink(missing_ok=True)
        # Names sort by time, and no two runs share one.
        name = time.strftime("%Y-%m-%d_%H-%M-%S") + f".{time.time_ns() % 1_000_000_000:09}_{os.getpid()}.jsonl"
        with (self._folder / name).open("w", encoding="utf-8") as file:
            self.path = self._folder / name
            size = 0
            while (line := self._next()) is not None:
                text = json.dumps(line) + "\n"
                if size + len(text) > MOST_BYTES:
                    continue
                size += file.write(text)
                file.flush()
            os.fsync(file.fileno())


def _plain(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """Numbers as they are, anything else in short words."""
    return {key: _word(values[key]) for key in keys if key in values}


def _word(value: object) -> Any:
    try:
        number = float(value)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a foreign object may raise anything
        return reprlib.repr(value)
    return number if math.isfinite(number) else str(number)


def intervention_log() -> InterventionLog:
    """The safety log of this process."""
    return _log(lerobot_home() / "safety")


@cache
def _log(folder: Path) -> InterventionLog:
    return InterventionLog(folder)
