"""What a person asks for while a robot is driven: keys of the terminal, a pedal, words in a file."""

import logging
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.terminal import KeyListener, terminal_keys
from lerobot.datasets.record.control_file import ControlFile, words

log = logging.getLogger(__name__)


class WishSource(Protocol):
    """Something else that passes on wishes, such as a pedal."""

    def poll(self) -> list[str]:
        """Wishes since the last call, the oldest first; never waits."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class Controls:
    """Collects wishes from every source there is.

    Args:
        wishes: what may be asked for; words of the control file.
        keys: wish by key of the terminal.
        control_file: file to write words into; None for none.
        say: where to say what is there.
        pedal: a further source.

    Raises:
        DatasetError: the control file cannot be made.
    """

    def __init__(
        self,
        wishes: type[StrEnum],
        keys: Mapping[str, str],
        control_file: Path | None,
        say: Callable[[str], None],
        *,
        pedal: WishSource | None = None,
    ) -> None:
        self.stop = threading.Event()
        """Set by whoever ends the run."""
        self._wishes = wishes
        self._keys = dict(keys)
        self._pedal = pedal
        self._file = None if control_file is None else ControlFile(control_file, wishes)
        self._listener = self._listen()
        if self._file is not None:
            say(f"Control file {self._file.path}: write one of {words(wishes)} into it.")
        if self._listener is not None:
            say("Keys: " + ", ".join(f"{key} {wish}" for key, wish in self._keys.items()) + ".")
        elif self._file is None and pedal is None and keys:
            say("No terminal to read keys from; --control_file=PATH takes words in their place.")

    def poll(self) -> list[str]:
        """Wishes since the last call, the oldest first."""
        found: list[str] = [] if self._file is None else [word.value for word in self._file.poll()]
        found += [] if self._pedal is None else self._pedal.poll()
        try:
            found += [self._keys[key] for key in ([] if self._listener is None else self._listener.typed())]
        except DeviceConnectionError as error:  # the signal that says so ends the run
            log.debug("no keys: %s", error)
        return found

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
        if self._file is not None:
            self._file.close()
        if self._pedal is not None:
            self._pedal.close()

    def _listen(self) -> KeyListener | None:
        if not self._keys:
            return None
        try:
            # Every press counts: a person who presses twice quickly means two things.
            return terminal_keys.listen("the rollout", self._keys, hold_s=0.0)
        except DeviceConnectionError as error:
            log.debug("no keyboard: %s", error)
            return None
