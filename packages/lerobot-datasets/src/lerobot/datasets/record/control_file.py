"""Control of a recording that runs without a terminal: words written into a file."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from lerobot.core.errors import DatasetError
from lerobot.datasets.record.requests import Request

log = logging.getLogger(__name__)

Word = TypeVar("Word", bound=StrEnum)


def words(known: type[StrEnum]) -> str:
    """The words of a control file, for messages."""
    return ", ".join(word.value for word in known)


WORDS = words(Request)


class ControlFile(Generic[Word]):
    """A file into which another program, or a person at another terminal, writes one word per line.

    `echo next > FILE` works from a service, a button or another SSH session, on every system. What is written is taken
    out of the file at the next tick.

    Args:
        path: the file; made anew, and removed by `close`.
        known: the words, in small letters.

    Raises:
        DatasetError: the file holds something, or cannot be written.
    """

    def __init__(self, path: Path, known: type[Word] = Request) -> None:  # type: ignore[assignment] # what it holds unless told
        self.path = path
        self._known = known
        self._taken = path.with_name(f".{path.name}.taken")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            size = path.stat().st_size
        except OSError as error:
            raise DatasetError(f"--control_file {path} cannot be written: {error.strerror}") from error
        if size:
            raise DatasetError(
                f"--control_file {path} already holds something", expected="a new or empty file", hint="Remove it."
            )

    def poll(self) -> list[Word]:
        """See `RequestSource.poll`."""
        try:
            if not self.path.stat().st_size:
                return []
            # Renamed before it is read, so that a word written meanwhile goes into the next file.
            self.path.replace(self._taken)
            self.path.touch()
            text = self._taken.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            log.warning("--control_file %s: %s", self.path, error.strerror)
            return []
        return [request for word in text.split() for request in self._read(word)]

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        self._taken.unlink(missing_ok=True)

    def _read(self, word: str) -> list[Word]:
        try:
            return [self._known(word.lower())]
        except ValueError:
            log.warning("--control_file: %r is none of %s", word, words(self._known))
            return []
