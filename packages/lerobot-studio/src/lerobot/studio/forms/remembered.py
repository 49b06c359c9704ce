"""What was last started with each command, so that nobody types a port twice."""

import json
import re
from pathlib import Path

from lerobot.core.durable import replace_text
from lerobot.core.json_file import read_json


class Remembered:
    """The last command line of each command.

    Args:
        folder: holds a file per command.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def arguments(self, command: str) -> list[str]:
        """The last arguments of a command; none if there are none that can be read."""
        try:
            told = read_json(self._file(command))
        except (OSError, ValueError):
            return []
        return [str(word) for word in told] if isinstance(told, list) else []

    def keep(self, command: str, arguments: list[str]) -> None:
        """Remember a command line."""
        replace_text(self._file(command), json.dumps(arguments))

    def _file(self, command: str) -> Path:
        return self._folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', command)}.json"
