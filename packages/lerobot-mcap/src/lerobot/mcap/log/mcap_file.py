"""One MCAP file: what it holds in one pass, and single messages by their place."""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.records import (
    CutOffError,
    Record,
    chunk_records,
    file_records,
    message_count,
    read_channel,
    read_message,
    read_schema,
    record_at,
    unpacked,
)
from lerobot.mcap.log.topic import Message, Place, Topic
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Schema

KEPT_BYTES = 2**26
"""Unpacked chunks that are kept for the next messages; the newest one always is."""

_LATEST = 2**63 - 1
"""Nanoseconds that a dataset's integers hold: the year 2262."""

_RECOVER = "`mcap recover` of the MCAP tools saves what is whole"


class McapFile:
    """An MCAP file; see `LogFile`.

    Args:
        path: the file, opened when it is first read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = ""
        self._file: IO[bytes] | None = None
        self._size = 0
        self._chunks: OrderedDict[int, memoryview] = OrderedDict()

    def messages(self) -> Iterator[Message]:
        """See `LogFile.messages`."""
        declared = _Declared()
        count = 0
        for record in self._records():
            with reading_log(f"{self.path}: the record at byte {record.offset}", hint=_RECOVER):
                if record.opcode == Opcode.CHUNK:
                    found = list(declared.messages(chunk_records(unpacked(record)), record.offset))
                else:
                    found = list(declared.messages([record], -1))
                count += len(found)
                if record.opcode == Opcode.STATISTICS and (said := message_count(record)) != count:
                    raise McapError(f"it says that there are {said} messages, and {count} are there")
            yield from found

    def read(self, place: Place) -> memoryview:
        """See `LogFile.read`."""
        with reading_log(f"{self.path}: the message at {place}"):
            if place.chunk < 0:
                return read_message(record_at(self._opened(), self._size, place.offset))[3]
            return read_message(next(chunk_records(self._chunk(place.chunk), place.offset)))[3]

    def close(self) -> None:
        """See `LogFile.close`."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._chunks.clear()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = self.path.open("rb")
            self._size = os.fstat(self._file.fileno()).st_size
        return self._file

    def _records(self) -> Iterator[Record]:
        """Records of the file; of one that was cut off, those before."""
        with reading_log(str(self.path), "an MCAP log"):
            try:
                yield from file_records(self._opened(), self._size)
            except CutOffError as error:
                self.end = str(error)

    def _chunk(self, offset: int) -> memoryview:
        if offset in self._chunks:
            self._chunks.move_to_end(offset)
            return self._chunks[offset]
        content = unpacked(record_at(self._opened(), self._size, offset))
        self._chunks[offset] = content
        while len(self._chunks) > 1 and sum(map(len, self._chunks.values())) > KEPT_BYTES:
            self._chunks.popitem(last=False)
        return content


class _Declared:
    """Schemas and channels by number, and the messages that refer to them."""

    def __init__(self) -> None:
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Topic] = {}

    def messages(self, records: Iterable[Record], chunk: int) -> Iterator[Message]:
        """Messages among records; what declares their topics is kept."""
        for record in records:
            if record.opcode == Opcode.SCHEMA:
                schema = read_schema(record)
                self._schemas[schema.id] = schema
            elif record.opcode == Opcode.CHANNEL:
                self._declare(record)
            elif record.opcode == Opcode.MESSAGE:
                number, log_time, publish_time, data = read_message(record)
                if number not in self._channels:
                    raise McapError(f"a message is of channel {number}, which nothing describes")
                if log_time > _LATEST or publish_time > _LATEST:
                    raise McapError(f"a message has the time {max(log_time, publish_time)}, which is no time")
                place = Place(chunk, record.offset)
                yield Message(self._channels[number], log_time, publish_time, place, data)

    def _declare(self, record: Record) -> None:
        channel = read_channel(record)
        schema = self._schemas.get(channel.schema_id)
        if schema is None and channel.schema_id:
            raise McapError(f"{channel.topic} is of schema {channel.schema_id}, which is not in the file before it")
        topic = Topic(
            channel.topic,
            schema.name if schema else "",
            channel.message_encoding,
            schema.encoding if schema else "",
            schema.data if schema else b"",
        )
        if self._channels.setdefault(channel.id, topic) != topic:
            raise McapError(f"channel {channel.id} is {self._channels[channel.id].name} and {channel.topic}")
