"""A foot switch, read as the kernel of Linux hands on what is pressed.

Source: struct input_event of linux/input.h, key codes of linux/input-event-codes.h.
"""

import os
import struct
from collections.abc import Mapping

from lerobot.core.errors import ConfigError, ConfigProblem, DeviceConnectionError

_EVENT = struct.Struct("@llHHi")
_KEY, _DOWN = 1, 1
_ROWS = {2: "1234567890", 16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"}
CODES: dict[str, int] = {
    **{f"KEY_{letter}": first + place for first, row in _ROWS.items() for place, letter in enumerate(row)},
    "KEY_ESC": 1,
    "KEY_TAB": 15,
    "KEY_ENTER": 28,
    "KEY_SPACE": 57,
    "KEY_LEFT": 105,
    "KEY_RIGHT": 106,
}
"""Codes of the keys that a pedal may be set to send."""


class Pedal:
    """Passes on wishes; see `WishSource`.

    Args:
        path: file of its events, such as `/dev/input/event3`.
        wishes: wish by the name of the key that a switch sends.

    Raises:
        ConfigError: there is no key of such a name.
        DeviceConnectionError: the file cannot be read.
    """

    def __init__(self, path: str, wishes: Mapping[str, str]) -> None:
        if unknown := [name for name in wishes if name not in CODES]:
            raise ConfigError([ConfigProblem("--strategy.pedal", unknown[0], f"one of {', '.join(CODES)}")])
        self._wishes = {CODES[name]: wish for name, wish in wishes.items()}
        self._pending = b""
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceConnectionError(
                f"pedal {path} cannot be read: {error.strerror}",
                device=path,
                hint="See `ls /dev/input/by-id`; reading needs the group `input`.",
            ) from error

    def poll(self) -> list[str]:
        """See `WishSource.poll`."""
        try:
            self._pending += os.read(self._file, 64 * _EVENT.size)
        except BlockingIOError:
            return []
        except OSError as error:
            raise DeviceConnectionError(f"the pedal is gone: {error.strerror}", device="pedal") from error
        whole = len(self._pending) // _EVENT.size * _EVENT.size
        events, self._pending = self._pending[:whole], self._pending[whole:]
        return [
            self._wishes[code]
            for _, _, kind, code, value in _EVENT.iter_unpack(events)
            if (kind, value) == (_KEY, _DOWN) and code in self._wishes
        ]

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)
