"""Keys of the whole desktop, through pynput: real releases, and keys that type nothing."""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.registry.catalog import install_hint
from lerobot.core.terminal import KEYS, KeyListener, key_name, terminal_keys

STOP_S = 2.0
_ALIASES = {"ctrl": "ctrl_l", "shift_l": "shift"}
_SHIFTS = frozenset({"shift", "shift_r"})


def can_listen() -> bool:
    """Whether keys can be heard: pynput is installed, and there is a display it works on, not over SSH."""
    if "SSH_CONNECTION" in os.environ:
        return False
    if sys.platform.startswith("linux"):
        wayland = "WAYLAND_DISPLAY" in os.environ or os.environ.get("XDG_SESSION_TYPE") == "wayland"
        if wayland or not os.environ.get("DISPLAY"):
            return False
    return importlib.util.find_spec("pynput") is not None


class DesktopKeyboard:
    """The keyboard of the display, whichever window has it.

    Keys of this process's terminal are heard twice, here and there: they are claimed there too, so that they neither
    mean something to others nor reach the shell.

    Args:
        owner: who uses the keys, for messages.
        keys: keys it needs.
        spare: keys it can use if nobody else does.
    """

    def __init__(self, owner: str, keys: Iterable[str], spare: Iterable[str] = ()) -> None:
        self._owner = owner
        self._keys = frozenset(keys)
        self._spare = frozenset(spare)
        self._here: KeyListener | None = None
        self._listener: Any = None
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._typed: deque[str] = deque(maxlen=100)

    def open(self) -> None:
        """See `Keyboard.open`."""
        try:
            keyboard = importlib.import_module("pynput.keyboard")
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError) and error.name == "pynput"
            raise DeviceConnectionError(
                "pynput is not installed." if missing else f"pynput finds no display: {str(error).splitlines()[0]}",
                hint=install_hint("lerobot-keyboard", "display")
                if missing
                else "Use the terminal: --teleop.backend=terminal",
            ) from error
        self._held.clear()
        self._typed.clear()
        with contextlib.suppress(DeviceConnectionError):  # there is no terminal: nobody hears these keys twice
            self._here = terminal_keys.listen(self._owner, self._keys, spare=self._spare)
        self._listener = keyboard.Listener(on_press=self._press, on_release=self._release)
        self._listener.start()
        # A listener that does not run yet ignores `stop`; one that cannot start is found dead by `held`.
        while self._listener.is_alive() and not self._listener.running:
            time.sleep(0.001)

    def held(self) -> frozenset[str]:
        """See `Keyboard.held`."""
        if not self._listener.is_alive():
            raise DeviceConnectionError("pynput stopped listening.", hint="Use the terminal: --teleop.backend=terminal")
        with self._lock:
            return frozenset(filter(self._is_ours, self._held))

    def typed(self) -> list[str]:
        """See `Keyboard.typed`."""
        with self._lock:
            keys = list(filter(self._is_ours, self._typed))
            self._typed.clear()
        return keys

    def _is_ours(self, key: str) -> bool:
        return self._here is None or self._here.owns(key)

    def close(self) -> None:
        """See `Keyboard.close`."""
        here, self._here = self._here, None
        if here is not None:
            here.close()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()
            # Not pynput's own `join`, which waits for ever where the listener could not start.
            threading.Thread.join(listener, STOP_S)

    # --- called in pynput's thread -----------------------------------------------------------------------------------

    def _press(self, key: Any) -> None:
        name = _name(key)
        with self._lock:
            if name is not None and name not in self._held:
                self._held.add(name)
                self._typed.append(name)

    def _release(self, key: Any) -> None:
        name = _name(key)
        with self._lock:
            self._held.discard(name or "")
            if name in _SHIFTS:
                # What was typed with Shift has another name when it is released without: `+` becomes `=`.
                self._held = {held for held in self._held if len(held) > 1}


def _name(key: Any) -> str | None:
    """Name of pynput's key."""
    if character := getattr(key, "char", None):
        return key_name(character)
    name = getattr(key, "name", "") or ""
    name = _ALIASES.get(name, name)
    return name if name in KEYS else None
