"""Single keys of the terminal: `keys` knows names and bytes, `raw` the terminal's mode, `listener` who gets a key."""

from lerobot.core.deprecation import keep_moved_modules
from lerobot.core.terminal.keys import KEYS, key_name
from lerobot.core.terminal.listener import KeyListener, TerminalKeys, terminal_keys

__all__ = ["KEYS", "KeyListener", "TerminalKeys", "key_name", "terminal_keys"]

keep_moved_modules(
    __name__,
    {"listening": "lerobot.core.terminal.listener"},
)
