"""Writes episodes as one MCAP log."""

from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.signals import check_stop
from lerobot.datasets.format.info import Info
from lerobot.datasets.reader.reader import FrameReader
from lerobot.mcap.export.clock import BETWEEN_EPISODES_NS, EpisodeClock
from lerobot.mcap.export.schema import to_bytes
from lerobot.mcap.export.topic import OUTCOME, ExportedTopic, Images, topics_of
from lerobot.mcap.ros_types import DEFINITIONS, TEXT
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import CompressionType, Writer

EVENTS = "/episode/event"
"""Topic whose texts begin and end episodes: `episode_start:TASK`, `episode_stop:OUTCOME`."""

TASKS = "/task"
"""Topic of the instruction, whenever it changes."""

UNKNOWN = "unknown"

_BLOCK = 32
"""Frames that are in memory at once."""

Report = Callable[[int], None]
"""Is told how many frames were written."""


class LogExport:
    """One log in progress.

    Args:
        file: where it is written.
        info: declarations of the dataset.
        images: what images become.
        begin: time of the first frame of a dataset without stamps, nanoseconds since 1970.
    """

    def __init__(self, file: IO[bytes], info: Info, images: Images, begin: int) -> None:
        self._info = info
        self._topics = topics_of(info.features, images)
        self._begin = begin
        self._writer = Writer(file, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="lerobot-mcap")
        about = {"fps": f"{info.fps:g}", "robot_type": info.robot_type or ""}
        self._writer.add_metadata("lerobot", about)
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def write(
        self, reader: FrameReader, numbers: Mapping[str, NDArray[Any]], positions: NDArray[np.int64], report: Report
    ) -> None:
        """Add an episode.

        Args:
            reader: reads images and texts, depth in millimetres.
            numbers: the episode's numeric columns, `(n, ...)`.
            positions: the episode's frames.
            report: see `Report`.

        Raises:
            DatasetError: the dataset is damaged, or a depth is farther than a message can say.
        """
        clock = EpisodeClock(numbers, len(positions), self._info.fps, self._begin)
        stamps = {topic.feature: clock.stamps(topic.feature) for topic in self._topics}
        last = _LastValues()
        outcome = UNKNOWN
        for first in range(0, len(positions), _BLOCK):
            for row, item in enumerate(reader.read(positions[first : first + _BLOCK]), first):
                check_stop()
                now = int(clock.frames[row])
                if row == 0:
                    self._text(EVENTS, f"episode_start:{item['task']}", now)
                if last.changed(TASKS, item["task"], 0):
                    self._text(TASKS, item["task"], now)
                for topic in self._topics:
                    value = numbers[topic.feature][row] if topic.feature in numbers else item[topic.feature]
                    self._topic(topic, value, int(stamps[topic.feature][row]), now, last)
                outcome = item.get(OUTCOME, outcome)
                report(1)
        self._text(EVENTS, f"episode_stop:{outcome}", clock.end)
        self._begin = clock.end + BETWEEN_EPISODES_NS

    def finish(self) -> None:
        """Write what stands at the end of a log; nothing can be added any more."""
        self._writer.finish()  # type: ignore[no-untyped-call]

    def _topic(self, topic: ExportedTopic, value: Any, stamp: int, now: int, last: "_LastValues") -> None:
        """Write a value, unless it is the message of the frame before."""
        known = last.stamp(topic.name)
        if not last.changed(topic.name, value, stamp):
            return
        # A value that changed without its time has been put together from several messages.
        time = now if known == stamp else stamp
        self._message(topic.name, topic.type, topic.message(value, time), time)

    def _text(self, name: str, text: str, time: int) -> None:
        self._message(name, TEXT, {"data": text}, time)

    def _message(self, name: str, kind: str, message: Mapping[str, Any], time: int) -> None:
        if kind not in self._schemas:
            definition = DEFINITIONS[kind].encode()
            self._schemas[kind] = self._writer.register_schema(kind, SchemaEncoding.ROS2, definition)
        if name not in self._channels:
            self._channels[name] = self._writer.register_channel(name, MessageEncoding.CDR, self._schemas[kind])
            self._counts[name] = 0
        self._writer.add_message(
            self._channels[name], time, to_bytes(kind, message), publish_time=time, sequence=self._counts[name]
        )
        self._counts[name] += 1


class _LastValues:
    """The value and time that each topic had last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, int]] = {}

    def stamp(self, name: str) -> int | None:
        """Time of a topic's last value."""
        return self._known[name][1] if name in self._known else None

    def changed(self, name: str, value: Any, stamp: int) -> bool:
        """Whether a value is another one than the last, or of another time; it is the last from now on."""
        known = self._known.get(name)
        self._known[name] = value, stamp
        return known is None or known[1] != stamp or not np.array_equal(known[0], value)
