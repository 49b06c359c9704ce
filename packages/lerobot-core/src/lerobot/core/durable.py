"""Files that survive a power cut: written, flushed, then given their name.

A name is published by `os.replace`, which is atomic, and holds after the folder itself was flushed.
"""

import os
import shutil
from pathlib import Path


def flush_file(path: Path) -> None:
    """Wait until a file's contents are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if os.name == "nt":  # folders cannot be opened there; NTFS journals its names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and those above it, each on the disk before the next."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush_folder(folder.parent)


def flush_tree(folder: Path) -> None:
    """Wait until a folder and everything in it is on the disk."""
    for path, _, names in os.walk(folder):
        for name in names:
            flush_file(Path(path, name))
        flush_folder(Path(path))


def link(source: Path, target: Path) -> None:
    """The same file under a second name, or a copy where the file system has no such thing.

    Of a symbolic link it is the file behind it that gets the name: the link may be relative, or go.
    """
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        shutil.copy2(source, target)


def publish(source: Path, target: Path) -> None:
    """Give a flushed file its final name, replacing what was there; on return it is there after a power cut too."""
    make_folder(target.parent)
    os.replace(source, target)  # noqa: PTH105 # the one call of the commit protocol, by its own name
    flush_folder(target.parent)


def replace_bytes(path: Path, content: bytes) -> None:
    """Replace a small file as a whole: a reader sees the old contents or the new ones."""
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_bytes(content)
        flush_file(aside)
        publish(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Replace a small text file as a whole, in UTF-8."""
    replace_bytes(path, text.encode())


def move_into_place(source: Path, target: Path, aside: Path) -> None:
    """Move what was written aside, file or folder, to its place.

    Args:
        source: what was written; flushed to the disk first.
        target: its place.
        aside: existing folder that takes what was at `target` before.
    """
    if source.is_dir():
        flush_tree(source)
    else:
        flush_file(source)
    if target.exists():
        target.replace(aside / f"replaced-{target.name}")
    publish(source, target)
