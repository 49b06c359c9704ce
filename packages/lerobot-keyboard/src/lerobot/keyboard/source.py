"""Where keys come from."""

from collections.abc import Iterable
from typing import Protocol

from lerobot.core.errors import NotConnectedError
from lerobot.core.terminal import KeyListener, terminal_keys


class Keyboard(Protocol):
    """Where keys come from."""

    def open(self) -> None:
        """Start listening.

        Raises:
            DeviceConnectionError: there is no keyboard to listen to; says why.
        """
        ...

    def held(self) -> frozenset[str]:
        """Keys that are down now."""
        ...

    def typed(self) -> list[str]:
        """Keys that went down since the last call, in order; a key that is held went down once."""
        ...

    def close(self) -> None:
        """Stop listening; calling it again does nothing."""
        ...


class TerminalKeyboard:
    """The terminal this process runs in, also over SSH; what it can tell is said at `KeyListener`.

    Args:
        owner: who uses the keys, for messages.
        keys: keys it needs.
        spare: keys it can use if nobody else does.
        hold_s: how long a key is held after its first press.
        repeat_s: how long after a repetition.
    """

    def __init__(
        self, owner: str, keys: Iterable[str], spare: Iterable[str] = (), *, hold_s: float = 0.5, repeat_s: float = 0.15
    ) -> None:
        self._owner = owner
        self._keys = frozenset(keys)
        self._spare = frozenset(spare)
        self._times = hold_s, repeat_s
        self._listener: KeyListener | None = None

    def open(self) -> None:
        """See `Keyboard.open`."""
        hold_s, repeat_s = self._times
        self._listener = terminal_keys.listen(
            self._owner, self._keys, spare=self._spare, hold_s=hold_s, repeat_s=repeat_s
        )

    def _heard(self) -> KeyListener:
        if self._listener is None:
            raise NotConnectedError(f"{self._owner} does not listen to the terminal.", device=self._owner)
        return self._listener

    def held(self) -> frozenset[str]:
        """See `Keyboard.held`."""
        return self._heard().held()

    def typed(self) -> list[str]:
        """See `Keyboard.typed`."""
        return self._heard().typed()

    def close(self) -> None:
        """See `Keyboard.close`."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
