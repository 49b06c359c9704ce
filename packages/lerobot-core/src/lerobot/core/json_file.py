"""Reading JSON files, also those that a Windows editor saved."""

import json
from pathlib import Path
from typing import Any

ENCODING = "utf-8-sig"
"""UTF-8 whose byte order mark, which some editors put first, is no part of the text."""


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8, or not JSON.
    """
    return json.loads(path.read_text(encoding=ENCODING))
