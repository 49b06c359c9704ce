"""What says that a shard is done: written last, so that whatever it names is on the disk."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError


class FileRecord(BaseModel):
    """A file of a shard's result.

    Attributes:
        bytes: its size.
        sha256: of its contents.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: int
    sha256: str


class Receipt(BaseModel):
    """What was done for a shard.

    Attributes:
        version: of this form.
        shard: name of the shard.
        worker: name of the worker.
        files: what it wrote, by path below the shard's folder.
        data: what it says about them.
        host: machine that it ran on.
        seconds: how long it took.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: Literal[1] = 1
    shard: str
    worker: str
    files: dict[str, FileRecord]
    data: dict[str, JsonValue]
    host: str
    seconds: float

    def describes(self, folder: Path, *, contents: bool) -> bool:
        """Whether a folder holds these files and no others.

        Args:
            folder: of the shard.
            contents: compare what is in the files, not only their sizes.
        """
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if not folder.is_dir() or found.keys() != self.files.keys():
            return False
        return all(
            path.stat().st_size == self.files[name].bytes and (not contents or _sha256(path) == self.files[name].sha256)
            for name, path in found.items()
        )


def records(folder: Path) -> dict[str, FileRecord]:
    """Every file below a folder, by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileRecord(bytes=path.stat().st_size, sha256=_sha256(path))
        for path in paths
    }


def load_receipt(path: Path) -> Receipt | None:
    """A receipt that is there and whole; None else: then the shard is done again."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
