"""What the libraries raise for damaged logs, as one error that says where."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import zstandard

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import reading
from mcap.exceptions import McapError


@contextmanager
def reading_log(where: str, expected: str = "", hint: str = "") -> Iterator[None]:
    """Turn what is raised for a damaged log or message into a `DatasetError`.

    Args:
        where: what is read, for the message.
        expected: what would have been right.
        hint: what to do.

    Raises:
        DatasetError: what is read inside is damaged.
    """
    try:
        with reading(where, expected):
            try:
                yield
            except (McapError, OverflowError, struct.error, sqlite3.Error, zstandard.ZstdError) as error:
                raise ValueError(str(error) or "it ends early") from error
    except DatasetError as error:
        error.hint = error.hint or hint
        raise
