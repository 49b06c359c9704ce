"""From a message's bytes to its fields, by the encoding and the type that its topic declares."""

import json
from collections.abc import Callable, Mapping, MutableSequence
from typing import Any, TypeAlias

from lerobot.core.errors import DatasetError
from lerobot.core.extras import require
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.topic import Topic
from lerobot.mcap.message.cdr import MOST_OBJECTS, decode
from lerobot.mcap.message.definition import parse_definitions

LARGEST_JSON = 2**24
"""Bytes of a JSON message: as Python objects it takes some twenty times as much."""

LARGEST_PROTOBUF = 2**26
"""Bytes of a protobuf message; empty messages in it take some twenty times as much."""

Decode: TypeAlias = Callable[[memoryview], Any]
"""From bytes to a message: its fields by name."""


class Decoder:
    """Reads the messages of one topic.

    Args:
        topic: the topic.

    Attributes:
        topic: the topic.

    Raises:
        DatasetError: its encoding is not known here, or its type cannot be read.
        LeRobotError: a library for it is not installed; the hint installs it.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        make = _ENCODINGS.get((topic.encoding, topic.schema_encoding)) or _ENCODINGS.get((topic.encoding, ""))
        if make is None:
            kind = f"{topic.encoding or 'no encoding'} with a type in {topic.schema_encoding or 'no form'}"
            known = ", ".join(sorted(f"{encoding} with {schema}" for encoding, schema in _ENCODINGS if schema))
            raise DatasetError(f"messages of {topic.name} are {kind}, which cannot be read", expected=f"json, {known}")
        with reading_log(f"the type {topic.type} of {topic.name}"):
            self._decode: Decode = make(topic)

    def __call__(self, data: memoryview) -> Any:
        """Read a message; call it inside `reading_log`, which names the message.

        Args:
            data: its bytes.

        Raises:
            ValueError: it is no message of the topic's type; or what else a parser meets in damaged bytes.
        """
        return self._decode(data)


def _ros2(topic: Topic) -> Decode:
    name, definitions = parse_definitions(topic.type, topic.schema.decode())
    return lambda data: decode(name, definitions, data)


def _json(_topic: Topic) -> Decode:
    def read(data: memoryview) -> Any:
        if len(data) > LARGEST_JSON:
            raise ValueError(f"it has {len(data)} bytes; {LARGEST_JSON} are the most that are read as JSON")
        return json.loads(bytes(data))

    return read


def _protobuf(topic: Topic) -> Decode:
    needs = {"extra": "protobuf", "needed_by": topic.name, "distribution": "lerobot-mcap"}
    require("google.protobuf", **needs)
    from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(topic.schema)
        pool = descriptor_pool.DescriptorPool()
        waiting = {file.name: file for file in files.file}

        def add(name: str) -> None:
            # A file needs those that it imports before it; what a set leaves out is refused by the pool.
            if (file := waiting.pop(name, None)) is not None:
                for dependency in file.dependency:
                    add(dependency)
                pool.Add(file)

        for file in files.file:
            add(file.name)
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(topic.type))
    except message.DecodeError as error:
        raise ValueError("its definition is no set of files") from error

    def read(data: memoryview) -> Any:
        if len(data) > LARGEST_PROTOBUF:
            raise ValueError(f"it has {len(data)} bytes; {LARGEST_PROTOBUF} are the most that are read as protobuf")
        try:
            return _as_dict(kind.FromString(bytes(data)), [0])
        except message.DecodeError as error:
            raise ValueError("its bytes are no such message") from error

    return read


def _as_dict(message: Any, count: list[int]) -> dict[str, Any]:
    """Fields of a protobuf message by name: numbers and texts with their defaults, messages if they are set."""
    count[0] += 1
    if count[0] > MOST_OBJECTS:
        raise ValueError(f"it holds more than {MOST_OBJECTS} nested messages")
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is None:
            fields[field.name] = list(value) if isinstance(value, MutableSequence) else value
        elif isinstance(value, MutableSequence):
            fields[field.name] = [_as_dict(each, count) for each in value]
        elif not isinstance(value, Mapping) and message.HasField(field.name):
            fields[field.name] = _as_dict(value, count)
    return fields


_ENCODINGS: dict[tuple[str, str], Callable[[Topic], Decode]] = {
    ("cdr", "ros2msg"): _ros2,
    ("json", ""): _json,
    ("protobuf", "protobuf"): _protobuf,
}
"""How to read messages by their encoding and that of their type; '' takes every type."""
