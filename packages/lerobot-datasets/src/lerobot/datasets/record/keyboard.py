"""Keys of the terminal that control a recording."""

import logging

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.terminal import KeyListener, terminal_keys
from lerobot.datasets.record.requests import Request

log = logging.getLogger(__name__)

KEYS: dict[str, Request] = {
    "right": Request.NEXT,
    "n": Request.NEXT,
    "left": Request.REDO,
    "r": Request.REDO,
    "s": Request.SUCCESS,
    "f": Request.FAILURE,
    "esc": Request.STOP,
    "q": Request.STOP,
}

MEANING = {
    Request.NEXT: "next",
    Request.REDO: "record again",
    Request.SUCCESS: "success",
    Request.FAILURE: "failure",
    Request.STOP: "save and stop",
}
NAMES = {"right": "→", "left": "←", "esc": "Esc"}


class KeyRequests:
    """The person at the keyboard; see `RequestSource`.

    Args:
        listener: gets the keys.
    """

    def __init__(self, listener: KeyListener) -> None:
        self._listener = listener

    def poll(self) -> list[Request]:
        """See `RequestSource.poll`."""
        try:
            return [KEYS[key] for key in self._listener.typed()]
        except DeviceConnectionError as error:  # the signal that says so ends the run
            log.debug("no keys: %s", error)
            return []

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def help(self) -> str:
        """Which key does what, and which keys somebody else uses."""
        lost = self._listener.lost
        parts = []
        for request, meaning in MEANING.items():
            keys = [NAMES.get(key, key) for key, asked in KEYS.items() if asked == request and key not in lost]
            parts.append(f"{' or '.join(keys) or 'no key'} {meaning}")
        owners = dict.fromkeys(lost.values())
        taken = "".join(
            f" {owner} has {' and '.join(NAMES.get(key, key) for key in lost if lost[key] == owner)}."
            for owner in owners
        )
        return f"Keys: {', '.join(parts)}.{taken}"


def open_keyboard() -> KeyRequests | None:
    """Listen to the terminal, if this process has one that it may read."""
    try:
        # Every press counts: a person who presses twice quickly means two things.
        return KeyRequests(terminal_keys.listen("the recording", KEYS, hold_s=0.0))
    except DeviceConnectionError as error:
        log.debug("no keyboard: %s", error)
        return None
