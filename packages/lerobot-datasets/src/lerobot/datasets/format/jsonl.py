"""JSON lines, the metadata files of v2.x."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import ENCODING


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a file, one per line; empty lines are skipped.

    Raises:
        DatasetError: the file is missing or a line is not a JSON object; names the line.
    """
    try:
        lines = path.read_text(encoding=ENCODING).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{path}:{number} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DatasetError(f"{path}:{number} is {line[:40]!r}", expected="a JSON object")
        yield value
