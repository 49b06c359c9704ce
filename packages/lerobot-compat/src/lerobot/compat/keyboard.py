"""Keys that control a program's recording, from the terminal."""

import threading
from collections.abc import Callable
from typing import Any

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.terminal import KeyListener, terminal_keys

KEYS = {
    "right": "exit_early",
    "n": "exit_early",
    "left": "rerecord_episode",
    "r": "rerecord_episode",
    "esc": "stop_recording",
    "q": "stop_recording",
}
"""Event of each key."""

POLL_S = 0.02


def apply_recording_control(control: str, events: dict[str, bool]) -> None:
    """Take note of what a person wants.

    Args:
        control: name of a key (`"right"`), or of an event (`"exit_early"`).
        events: what is set: `exit_early`, `rerecord_episode`, `stop_recording`.
    """
    event = KEYS.get(control, control)
    if event not in events:
        return
    events[event] = True
    # Whatever is wanted, the episode in progress ends now.
    events["exit_early"] = True


class TerminalKeyListener:
    """Calls a function with each key that is pressed in the terminal, in a thread of its own.

    Args:
        on_key: gets the name of the key.
        keys: the keys to listen for.
    """

    def __init__(self, on_key: Callable[[str], None], keys: Any = tuple(KEYS)) -> None:
        self._on_key = on_key
        self._keys = tuple(keys)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._listener: KeyListener | None = None

    def start(self) -> None:
        """Begin to listen.

        Raises:
            DeviceConnectionError: there is no terminal.
        """
        self._listener = terminal_keys.listen("the program", self._keys, hold_s=0.0)
        self._thread = threading.Thread(target=self._run, args=(self._listener,), daemon=True, name="keys")
        self._thread.start()

    def _run(self, listener: KeyListener) -> None:
        while not self._stop.wait(POLL_S):
            try:
                for key in listener.typed():
                    self._on_key(key)
            except DeviceConnectionError:  # the terminal was closed: nobody can press a key any more
                return

    def stop(self) -> None:
        """Stop listening, and put the terminal back as it was."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self._listener is not None:
            self._listener.close()


def create_key_listener(dispatch: Callable[[str], None], *, controls_help: str = "") -> TerminalKeyListener | None:
    """Listen to the terminal.

    Args:
        dispatch: gets the name of each key.
        controls_help: accepted, and not shown.

    Returns:
        The listener; None without a terminal.
    """
    del controls_help
    listener = TerminalKeyListener(dispatch)
    try:
        listener.start()
    except DeviceConnectionError:
        return None
    return listener


def init_keyboard_listener() -> tuple[TerminalKeyListener | None, dict[str, bool]]:
    """Listen for the keys of a recording.

    Returns:
        The listener, None without a terminal, and the events: `exit_early` (right, n), `rerecord_episode` (left, r) and
        `stop_recording` (Esc, q).
    """
    events = {"exit_early": False, "rerecord_episode": False, "stop_recording": False}
    return create_key_listener(lambda key: apply_recording_control(key, events)), events


def is_headless() -> bool:
    """Whether no key can be read, because this process has no terminal."""
    try:
        terminal_keys.listen("a question", (), hold_s=0.0).close()
    except DeviceConnectionError:
        return True
    return False
