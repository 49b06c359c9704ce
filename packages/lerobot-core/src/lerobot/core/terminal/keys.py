"""Names of keys, the bytes a terminal sends for them, and which of them are held."""

import re
import string
from collections import deque

SPECIAL = (
    *("up", "down", "left", "right", "page_up", "page_down", "home", "end", "delete", "insert"),
    *("enter", "tab", "space", "backspace", "esc", "shift", "shift_r", "ctrl_l", "ctrl_r"),
)
KEYS = (*string.ascii_lowercase, *string.digits, *string.punctuation, *SPECIAL)
"""Every key there is a name for: characters as they are typed, letters in lower case."""

_NAMED = {" ": "space", "\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}
_FINALS = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
_NUMBERS = {"1": "home", "2": "insert", "3": "delete", "4": "end", "5": "page_up", "6": "page_down"}
_SEQUENCE = re.compile(r"\x1b(?:O(?P<application>[A-Z])|\[(?P<number>\d*)[\d;]*(?P<final>[A-Za-z~]))")
_UNFINISHED = re.compile(r"\x1b(?:O|\[[\d;]*)?$")

ESCAPE_S = 0.15
"""How long the bytes of one key may be apart on a slow connection; Esc alone is an escape nothing follows."""


def key_name(character: str) -> str | None:
    """Name of the key that types a character; None if there is no name for it."""
    name = _NAMED.get(character, character.lower())
    return name if name in KEYS else None


class KeyDecoder:
    """Makes key names of the bytes a terminal sends: characters, and escape sequences of xterm and its relatives."""

    def __init__(self) -> None:
        self._pending = ""
        self._since_s = 0.0

    def feed(self, data: bytes, now_s: float) -> list[str]:
        """Take in what was typed.

        Args:
            data: bytes read, maybe none.
            now_s: monotonic time, to tell Esc from the beginning of an arrow key.
        """
        if data and not self._pending:
            self._since_s = now_s
        # Every byte is a character here: keys outside ASCII have no name, so their bytes have none either.
        text, self._pending = self._pending + data.decode("latin-1"), ""
        keys: list[str | None] = []
        while text:
            if match := _SEQUENCE.match(text):
                keys.append(_sequence_name(match))
                text = text[match.end() :]
            elif _UNFINISHED.match(text) and now_s - self._since_s <= ESCAPE_S:
                self._pending = text
                break
            else:
                keys.append("esc" if text[0] == "\x1b" else key_name(text[0]))
                text = text[1:]
        return [key for key in keys if key is not None]


def _sequence_name(match: re.Match[str]) -> str | None:
    if match["final"] == "~":
        return _NUMBERS.get(match["number"])
    return _FINALS.get(match["application"] or match["final"])


class HeldKeys:
    """Which keys are held, where only presses and repetitions can be seen.

    Args:
        hold_s: how long a key is held after it was pressed.
        repeat_s: how long after it was repeated.
    """

    def __init__(self, hold_s: float, repeat_s: float) -> None:
        self._hold_s = hold_s
        self._repeat_s = repeat_s
        self._until: dict[str, float] = {}
        self._typed: deque[str] = deque(maxlen=100)

    def press(self, key: str, now_s: float) -> None:
        """Note a press, or a repetition if the key is held."""
        if self._until.get(key, -1.0) > now_s:
            self._until[key] = now_s + self._repeat_s
        else:
            self._until[key] = now_s + self._hold_s
            self._typed.append(key)

    def held(self, now_s: float) -> frozenset[str]:
        """Keys held at `now_s`."""
        return frozenset(key for key, until in self._until.items() if until > now_s)

    def typed(self) -> list[str]:
        """Keys pressed since the last call."""
        keys = list(self._typed)
        self._typed.clear()
        return keys
