"""One file of a ROS 2 bag in sqlite3, which ROS wrote before MCAP.

Source:
    rosbag2_storage_sqlite3, its tables `topics`, `messages` and, since ROS Iron, `message_definitions`
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.topic import Message, Place, Topic

LARGEST = 2**28
"""Bytes of a message or definition."""

_TOPICS = "SELECT id, name, type, serialization_format FROM topics"
_DEFINITIONS = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
_MESSAGES = "SELECT id, topic_id, timestamp, data FROM messages ORDER BY id"
_MESSAGE = "SELECT data FROM messages WHERE id = ?"


class SqliteFile:
    """A `.db3` file; see `LogFile`.

    Args:
        path: the file, opened when it is first read.
        known: definitions by type for bags that hold none.
    """

    def __init__(self, path: Path, known: Mapping[str, str]) -> None:
        self.path = path
        self.end = ""
        self._known = known
        self._database: sqlite3.Connection | None = None

    def messages(self) -> Iterator[Message]:
        """See `LogFile.messages`."""
        with reading_log(str(self.path), "a ROS 2 bag in sqlite3"):
            database = self._opened()
            topics = self._topics(database)
            for row, topic, time, data in database.execute(_MESSAGES):
                if topic not in topics:
                    raise ValueError(f"message {row} is of topic {topic}, which is not in the file")
                if not isinstance(time, int) or time < 0 or not isinstance(data, bytes):
                    raise ValueError(f"message {row} has the time {time!r:.40} and {type(data).__name__} as data")
                yield Message(topics[topic], time, time, Place(-1, row), memoryview(data))

    def read(self, place: Place) -> memoryview:
        """See `LogFile.read`."""
        with reading_log(f"{self.path}: message {place.offset}"):
            (data,) = self._opened().execute(_MESSAGE, (place.offset,)).fetchone()
            return memoryview(data)

    def close(self) -> None:
        """See `LogFile.close`."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            # Nothing in the folder is written, and no function that the file names is called. Where a recorder crashed,
            # the last messages are in a file beside it, which SQLite only looks into if the file may change.
            crashed = self.path.with_name(f"{self.path.name}-wal").exists()
            how = "mode=ro" if crashed else "mode=ro&immutable=1"
            database = sqlite3.connect(f"{self.path.resolve().as_uri()}?{how}", uri=True)
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
            self._database = database
        return self._database

    def _topics(self, database: sqlite3.Connection) -> dict[int, Topic]:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"topics", "messages"} <= tables:
            raise ValueError("it has no tables of topics and messages")
        definitions = {kind: ("ros2msg", text) for kind, text in self._known.items()}
        if "message_definitions" in tables:
            definitions |= {kind: (form, text) for kind, form, text in database.execute(_DEFINITIONS) if text}
        topics = {}
        for number, name, kind, encoding in database.execute(_TOPICS):
            form, text = definitions.get(kind, ("", ""))
            topics[number] = Topic(name, kind, encoding, form, text.encode())
        return topics
