"""Records of an MCAP file or chunk, each with its place.

The reader of the `mcap` library allocates what a length field says and tells no places, so that messages could only be
read in one order; here a record is refused before it is read if there is no room for it.

Source:
    https://mcap.dev/spec
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Schema, Statistics
from mcap.writer import MCAP0_MAGIC

LARGEST_CHUNK = 2**28
"""Bytes of a chunk when it is unpacked. Recorders write a few megabytes, or one large message."""

_FRAME = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_LARGEST_WINDOW = 2**27
"""Memory that a zstd stream may ask for: the limit that its own programs have."""
_SKIPPED = frozenset({Opcode.ATTACHMENT, Opcode.MESSAGE_INDEX, Opcode.CHUNK_INDEX, Opcode.ATTACHMENT_INDEX})


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        opcode: what it is.
        offset: where it begins in its file or chunk.
        content: its bytes; empty where nobody needs them.
    """

    opcode: int
    offset: int
    content: memoryview


class CutOffError(McapError):
    """A file or chunk ends inside a record."""


def file_records(file: IO[bytes], size: int) -> Iterator[Record]:
    """Records of a file up to its footer, or to where the file was cut off.

    Args:
        file: the open file.
        size: its bytes.

    Raises:
        CutOffError: it ends inside a record, and not as a finished file does.
        McapError: it is no MCAP file, or a record is longer than what is left of a finished one.
    """
    file.seek(0)
    if (magic := file.read(len(MCAP0_MAGIC))) != MCAP0_MAGIC:
        raise McapError("it is empty" if not magic else "it does not begin as an MCAP file does")
    offset = len(MCAP0_MAGIC)
    while True:
        file.seek(offset)
        head = file.read(_FRAME.size)
        opcode, length = _FRAME.unpack(head) if len(head) == _FRAME.size else (0, size)
        if length > size - offset - _FRAME.size:
            file.seek(-len(MCAP0_MAGIC), io.SEEK_END)
            kind = McapError if offset < size and file.read() == MCAP0_MAGIC else CutOffError
            raise kind(f"the record at byte {offset} goes beyond the end of the file at byte {size}")
        content = b"" if opcode in _SKIPPED else file.read(length)
        yield Record(opcode, offset, memoryview(content))
        if opcode == Opcode.FOOTER:
            return
        offset += _FRAME.size + length


def record_at(file: IO[bytes], size: int, offset: int) -> Record:
    """The record at a place of a file; see `file_records`."""
    file.seek(offset)
    opcode, length = _FRAME.unpack(file.read(_FRAME.size))
    if length > size - offset - _FRAME.size:
        raise CutOffError(f"the record at byte {offset} is cut off")
    return Record(opcode, offset, memoryview(file.read(length)))


def chunk_records(content: memoryview, offset: int = 0) -> Iterator[Record]:
    """Records of an unpacked chunk from an offset on.

    Raises:
        CutOffError: a record is longer than the chunk.
    """
    while offset < len(content):
        if len(content) - offset < _FRAME.size:
            raise CutOffError(f"the chunk ends at byte {len(content)}, inside a record")
        opcode, length = _FRAME.unpack_from(content, offset)
        begin = offset + _FRAME.size
        if length > len(content) - begin:
            raise CutOffError(f"the record at byte {offset} of the chunk has {length} bytes, which the chunk has not")
        yield Record(opcode, offset, content[begin : begin + length])
        offset = begin + length


def unpacked(record: Record) -> memoryview:
    """The records of a chunk as bytes.

    Raises:
        McapError: it is larger than it says or than `LARGEST_CHUNK`, packed in an unknown way, or its checksum differs.
    """
    chunk = Chunk.read(_stream(record))
    size = chunk.uncompressed_size
    if size > LARGEST_CHUNK:
        raise McapError(f"it says that it unpacks to {size} bytes; {LARGEST_CHUNK} are the most that are read")
    if chunk.compression == "zstd":
        unpacker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        data = unpacker.stream_reader(io.BytesIO(chunk.data)).read(size + 1)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, max_length=size + 1)
    elif chunk.compression == "":
        data = chunk.data
    else:
        raise McapError(f"its compression is {chunk.compression!r}; zstd, lz4 and none can be read")
    if len(data) != size:
        raise McapError(f"it unpacks to {'more' if len(data) > size else len(data)} bytes, not to {size}")
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise McapError("its checksum differs: bytes of it were changed")
    return memoryview(data)


def read_schema(record: Record) -> Schema:
    """A schema record."""
    schema: Schema = Schema.read(_stream(record))
    return schema


def read_channel(record: Record) -> Channel:
    """A channel record."""
    channel: Channel = Channel.read(_stream(record))
    return channel


def message_count(record: Record) -> int:
    """How many messages a statistics record says that the file holds."""
    statistics: Statistics = Statistics.read(_stream(record))
    return statistics.message_count


def read_message(record: Record) -> tuple[int, int, int, memoryview]:
    """Channel, log time, publish time and bytes of a message record."""
    channel, _, log_time, publish_time = _MESSAGE.unpack_from(record.content)
    return channel, log_time, publish_time, record.content[_MESSAGE.size :]


def _stream(record: Record) -> ReadDataStream:
    return ReadDataStream(io.BytesIO(record.content))
