"""How far a large file of weights is read, shown to whoever waits at a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE = 1_000_000_000
"""Bytes; what is smaller is there before a bar could be read."""


@contextmanager
def loading_bar(path: Path, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while a file is read: for a large one, on a terminal only.

    Args:
        path: the file.
        total: bytes that will be read.

    Yields:
        Function that is told the size of each part when it is there, bytes.
    """
    if total < LARGE or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # only who waits for a large file pays for this import
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"Loading {path.parent.name}/{path.name}", total=total)
        yield lambda size: progress.advance(bar, size)
