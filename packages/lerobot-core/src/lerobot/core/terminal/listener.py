"""Who gets a key: one reader of the terminal per process, and any number of listeners that share the keys out."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lerobot.core.terminal.keys import HeldKeys, KeyDecoder
from lerobot.core.terminal.raw import RawTerminal


class KeyListener:
    """One who uses keys of the terminal; made by `TerminalKeys.listen`.

    A terminal tells presses and repetitions, not releases, and nothing of keys that type nothing (Shift, Ctrl); of
    several keys that are held it repeats the last. How long a key counts as held is therefore a matter of time.

    Attributes:
        owner: who it is, for messages.
        keys: keys it claimed.
        spare: keys it takes if nobody claims them.
    """

    def __init__(
        self, hub: "TerminalKeys", owner: str, keys: frozenset[str], spare: frozenset[str], held: HeldKeys
    ) -> None:
        self.owner = owner
        self.keys = keys
        self.spare = spare
        self._hub = hub
        self._held = held

    @property
    def lost(self) -> dict[str, str]:
        """Keys it claimed that go to somebody else, and to whom."""
        takers = {key: self._hub.taker(key) for key in sorted(self.keys)}
        return {key: taker.owner for key, taker in takers.items() if taker not in (None, self)}

    def owns(self, key: str) -> bool:
        """Whether nobody else gets this key."""
        return self._hub.taker(key) in (None, self)

    def held(self) -> frozenset[str]:
        """Keys that are down now.

        Raises:
            DeviceConnectionError: the terminal is gone.
        """
        self._hub.read()
        return self._held.held(time.monotonic())

    def typed(self) -> list[str]:
        """Keys that went down since the last call, in order; a key that is held went down once.

        Raises:
            DeviceConnectionError: the terminal is gone.
        """
        self._hub.read()
        return self._held.typed()

    def press(self, key: str, now_s: float) -> None:
        """Take over a key; called by the reader."""
        self._held.press(key, now_s)

    def close(self) -> None:
        """Stop listening; the last one puts the terminal back. Calling it again does nothing."""
        self._hub.leave(self)


class TerminalKeys:
    """The keys of the terminal on standard input.

    Every key goes to one listener: to the first that claimed it, else to the first that takes it as spare, else to
    nobody. The terminal is in raw mode as long as somebody listens.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[KeyListener] = []
        self._terminal: RawTerminal | None = None
        self._decoder = KeyDecoder()

    def listen(
        self,
        owner: str,
        keys: Iterable[str],
        *,
        spare: Iterable[str] = (),
        hold_s: float = 0.5,
        repeat_s: float = 0.15,
    ) -> KeyListener:
        """Begin to listen.

        Args:
            owner: who does, in words for messages.
            keys: names of the keys it needs.
            spare: names of keys it can use if nobody else needs them.
            hold_s: seconds a key counts as held after its first press, until the keyboard would repeat it.
            repeat_s: seconds a key counts as held after a repetition.

        Raises:
            DeviceConnectionError: there is no terminal, or it is not this process's to read; says why.
        """
        with self._lock:
            if self._terminal is None:
                self._terminal, self._decoder = RawTerminal(), KeyDecoder()
            listener = KeyListener(self, owner, frozenset(keys), frozenset(spare), HeldKeys(hold_s, repeat_s))
            self._listeners.append(listener)
            return listener

    def taker(self, key: str) -> KeyListener | None:
        """Find who gets a key."""
        claims = [listener for listener in self._listeners if key in listener.keys]
        spares = [listener for listener in self._listeners if key in listener.spare]
        return next(iter(claims + spares), None)

    def read(self) -> None:
        """Share out what was typed.

        Raises:
            DeviceConnectionError: the terminal is gone.
        """
        with self._lock:
            if self._terminal is None:
                return
            data, now_s = self._terminal.read(), time.monotonic()
            for key in self._decoder.feed(data, now_s):
                taker = self.taker(key)
                if taker is not None:
                    taker.press(key, now_s)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Give the terminal to a question and its answer for the block."""
        with self._lock:
            if self._terminal is None:
                yield
                return
            with self._terminal.suspended():
                yield

    def leave(self, listener: KeyListener) -> None:
        """See `KeyListener.close`."""
        with self._lock:
            if listener not in self._listeners:
                return
            self._listeners.remove(listener)
            if not self._listeners and self._terminal is not None:
                terminal, self._terminal = self._terminal, None
                terminal.close()


terminal_keys = TerminalKeys()
"""The keys of this process's terminal."""
