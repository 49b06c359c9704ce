"""Files of a dataset in the making, numbered from the first."""

from collections.abc import Iterator

from lerobot.datasets.format import layout
from lerobot.datasets.writer.compaction import FilePosition


def numbering(chunks_size: int) -> Iterator[FilePosition]:
    """Chunk and file numbers of one file after another."""
    place = (0, 0)
    while True:
        yield place
        place = layout.next_file(*place, chunks_size)
