"""What a log is made of: topics, and messages at their places."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Topic:
    """One way in which messages of a topic are written; a topic that was recorded twice may have several.

    Attributes:
        name: the topic.
        type: name of its messages' type, such as `sensor_msgs/msg/JointState`; empty if the log says none.
        encoding: how messages are written: `cdr`, `json`, `protobuf`, ...
        schema_encoding: how the type is written down: `ros2msg`, `jsonschema`, `protobuf`, ...; empty if it is not.
        schema: the definition.
    """

    name: str
    type: str
    encoding: str
    schema_encoding: str
    schema: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is in a file.

    Attributes:
        chunk: byte at which its chunk begins; -1 if it is in none.
        offset: of its record in the unpacked chunk, or in the file.
    """

    chunk: int
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was recorded.

    Attributes:
        topic: its topic.
        log_time: when it was recorded, nanoseconds since 1970.
        publish_time: when it was published.
        place: where it is.
        data: its bytes, in its topic's encoding.
    """

    topic: Topic
    log_time: int
    publish_time: int
    place: Place
    data: memoryview


class LogFile(Protocol):
    """One file of a log.

    Attributes:
        path: the file.
        end: why it was read only up to there, if it was cut off; else empty, known after `messages`.
    """

    path: Path
    end: str

    def messages(self) -> Iterator[Message]:
        """All messages in the order of the file.

        Raises:
            DatasetError: the file is damaged; what was given before is whole.
        """
        ...

    def read(self, place: Place) -> memoryview:
        """Bytes of one message.

        Raises:
            DatasetError: the file is damaged, or is not what it was.
        """
        ...

    def close(self) -> None:
        """Close the file until it is read again."""
        ...
