"""Files here and at addresses such as gs://, s3://, https:// and hf://, read by ranges."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractBufferedFile

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.core.json_file import ENCODING
from lerobot.core.registry.catalog import install_hint
from lerobot.dataset_tools.formats.files import SourceFile, natural, reading

BLOCK_BYTES = 2**22
"""Bytes that are asked for at once."""
BLOCKS = 8
"""Blocks of a file that are kept: its end, if it is an archive, a record over several of them, a step back."""

_WEB = frozenset({"http", "https"})


@contextmanager
def answered(address: str, expected: str = "") -> Iterator[None]:
    """Turn what drivers raise into one error that says which file.

    Raises:
        DatasetError: a server did not give what was asked for.
    """
    try:
        with reading(address, expected):
            yield
    except LeRobotError:
        raise
    except Exception as error:
        # Every driver has classes of its own for what its server answers, and no base that they share.
        reason = str(error) or type(error).__name__
        raise DatasetError(f"{address} cannot be read: {reason.splitlines()[0]}", expected=expected) from error


class Place:
    """A file or folder, which may not exist.

    Args:
        address: a path, or an address that fsspec knows.
        storage: options of its driver, such as `{"anon": True}`.

    Attributes:
        address: the same without a `/` at the end.

    Raises:
        DatasetError: it is no address.
        LeRobotError: the driver for such addresses is not installed.
    """

    def __init__(self, address: str, storage: Mapping[str, Any]) -> None:
        self.address = address.rstrip("/") or "/"
        self._storage = storage
        try:
            self._system, path = fsspec.url_to_fs(self.address, **storage)
        except ImportError as error:
            is_web = address.partition("://")[0] in _WEB
            hint = install_hint("lerobot-recipes", "http") if is_web else ""
            raise LeRobotError(f"{address} needs a driver that is not installed: {error}", hint=hint) from error
        except (ValueError, TypeError) as error:
            raise DatasetError(f"{address} is no address that can be read: {error}") from error
        self._path = str(path)

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return isinstance(self._system, LocalFileSystem)

    @property
    def name(self) -> str:
        """Its last part."""
        return self.address.rpartition("/")[2]

    def child(self, name: str) -> "Place":
        """A file or folder in this folder, at any depth."""
        return Place(f"{self.address}/{name}", self._storage)

    def parent(self) -> "Place":
        """The folder that it lies in."""
        return Place(self.address.rpartition("/")[0] or ("/" if self.address.startswith("/") else "."), self._storage)

    def entries(self, pattern: str = "*") -> list[str]:
        """Names of the files and folders in this folder, in natural order.

        Raises:
            DatasetError: there is no such folder, or it cannot be listed.
        """
        with answered(self.address, "a folder"):
            found = self._system.ls(self._path, detail=False)
        names = {str(each).rstrip("/").rpartition("/")[2] for each in found}
        return sorted((name for name in names if fnmatch(name, pattern)), key=natural)

    def folders(self) -> list[str]:
        """Names of the folders in this folder, in natural order; see `entries`."""
        with answered(self.address, "a folder"):
            found = self._system.ls(self._path, detail=True)
        names = {str(each["name"]).rstrip("/").rpartition("/")[2] for each in found if each["type"] == "directory"}
        return sorted(names, key=natural)

    def read(self) -> bytes:
        """All of this file.

        Raises:
            DatasetError: it cannot be read.
        """
        with answered(self.address):
            return cast("bytes", self._system.cat_file(self._path))

    def read_if_there(self) -> bytes | None:
        """All of this file; None if there is none.

        Raises:
            DatasetError: it is there and cannot be read.
        """
        with answered(self.address):
            try:
                return cast("bytes", self._system.cat_file(self._path))
            except FileNotFoundError:
                return None

    def file(self) -> SourceFile:
        """This file, of which ranges are read."""
        return SourceFile(self.address, self._open)

    def _open(self) -> BinaryIO:
        """Open it; what is read is kept in blocks, so that nothing is fetched twice in a row."""
        if self.is_here:
            return cast("BinaryIO", self._system.open(self._path, "rb"))
        with answered(self.address):
            opened = self._system.open(
                self._path, "rb", block_size=BLOCK_BYTES, cache_type="blockcache", cache_options={"maxblocks": BLOCKS}
            )
        if not opened.seekable():
            opened.close()
            raise DatasetError(f"{self.address} can only be read from its begin", expected="a server that gives ranges")
        if isinstance(opened, AbstractBufferedFile):
            fetch = opened.cache.fetcher

            def fetched(start: int, end: int) -> bytes:
                with answered(self.address):
                    return cast("bytes", fetch(start, end))

            opened.cache.fetcher = fetched
        return cast("BinaryIO", opened)


def json_of(content: bytes) -> Any:
    """The value in a JSON file."""
    return json.loads(content.decode(ENCODING))
