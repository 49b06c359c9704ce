"""One stream of a log: when each of its messages counts and where it lies, from one pass over the log."""

import difflib
import logging
from array import array
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.core.words import counted
from lerobot.mcap.contract import Clock, Contract
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.log import Log
from lerobot.mcap.log.topic import Message, Place, Topic
from lerobot.mcap.message.decoder import Decoder
from lerobot.mcap.message.numbers import named_elements
from lerobot.mcap.message.stamp import stamp_of, stamp_path
from lerobot.mcap.message.video import VideoFrames, is_key, is_video

logger = logging.getLogger(__name__)

_VIDEO = "CompressedVideo"

LARGEST_STEP_BACK_S = 1.0
"""Stamps that run back further are another session; smaller steps are messages that came late, and are sorted."""


class Stream:
    """Messages of one topic by their time.

    Args:
        log: the log.
        name: name of the stream, for messages.
        topic: the topic.
        clock: time that counts.
        type_: type that the messages must have.
        stamp: path of the stamp.
        names: elements that its messages must name, where they name any; those that name none of them are not its.

    Attributes:
        name: name of the stream.
        topic: the topic.
        stamps: `(m,)` times that count, each later than the one before, nanoseconds since 1970; after `close_index`.
        delay_ms: median time from when a message counts to its recording; after `close_index`.
    """

    def __init__(
        self,
        log: Log,
        name: str,
        topic: str,
        clock: Clock,
        *,
        type_: str | None = None,
        stamp: str | None = None,
        names: Collection[str] = (),
    ) -> None:
        self._log = log
        self.name = name
        self.topic = topic
        self._clock = clock
        self._type = type_
        self._stamp = stamp
        self._names = frozenset(names)
        self._decoders: dict[Topic, Decoder] = {}
        self._topics: list[Topic] = []
        self._seen = 0
        self._others: tuple[str, ...] = ()
        # 34 bytes a message: an hour of ten streams at 100 Hz is 122 MB.
        self._times, self._recorded, self._chunks, self._offsets = (array("q") for _ in range(4))
        self._files, self._kinds = array("H"), array("H")
        self.stamps: NDArray[np.int64] = np.zeros(0, np.int64)
        self.delay_ms = 0.0
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)
        self._video = VideoFrames(self._read)
        self._before_key = 0

    def take(self, file: int, message: Message) -> None:
        """Note a message of the topic.

        Raises:
            DatasetError: it has another type than it should, or its stamp or names cannot be read.
        """
        if message.topic not in self._decoders:
            self._learn(message.topic)
        number = self._seen
        self._seen += 1
        with reading_log(f"{self._log.path}: message {number} of {self.topic}", hint=self._hint()):
            time = self._time(message)
        if time is None:
            return
        self._times.append(time)
        self._recorded.append(message.log_time)
        self._files.append(file)
        self._chunks.append(message.place.chunk)
        self._offsets.append(message.place.offset)
        self._kinds.append(self._topics.index(message.topic))

    def close_index(self) -> None:
        """Bring the messages into the order of their times; of those with one time the last counts.

        Raises:
            DatasetError: there is none, or their times run back too far.
        """
        where = f"{self._log.path}: {self.topic}"
        if not self._times:
            if self._others:
                raise DatasetError(
                    f"{where} has no message with {', '.join(sorted(self._names))}",
                    expected=f"names: some of {', '.join(self._others)}",
                )
            raise DatasetError(f"{where} has no message")
        times = np.frombuffer(self._times, np.int64)
        steps = np.diff(times)
        if steps.size and (worst := int(steps.min())) < -LARGEST_STEP_BACK_S * 1e9:
            raise DatasetError(
                f"{where}: times ({self._clock}) run back by {-worst / 1e9:g} s at message {int(steps.argmin()) + 1}",
                expected="one session in a log",
                hint="take another clock, such as clock: log, or cut the log",
            )
        order = np.argsort(times, kind="stable")
        last_of_time = np.append(np.diff(times[order]) > 0, True)
        self._order = order[last_of_time]
        self.stamps = times[self._order]
        if late := int((steps < 0).sum()):
            logger.warning("%s: %s out of order; sorted by %s time", where, counted(late, "message"), self._clock)
        if repeated := len(times) - len(self.stamps):
            logger.warning("%s: %s have the time of another; the last one counts", where, counted(repeated, "message"))
        if self._before_key:
            logger.warning("%s: %s left out: no key frame comes before", where, counted(self._before_key, "image"))
        self.delay_ms = float(np.median(np.frombuffer(self._recorded, np.int64) - times)) / 1e6
        if self.delay_ms < 0:
            logger.warning("%s: measured %.0f ms after it was recorded; clocks differ", where, -self.delay_ms)

    def read(self, number: int) -> Any:
        """A message by its number in the order of `stamps`; a frame of a video as the image that it shows.

        Raises:
            DatasetError: it is damaged.
        """
        message = self._read(number)
        if not is_video(message):
            return message
        with reading_log(self.where(number)):
            return {**message, **self._video.as_raw(number)}

    def _read(self, number: int) -> Any:
        at = int(self._order[number])
        data = self._log.read(self._files[at], Place(self._chunks[at], self._offsets[at]))
        with reading_log(self.where(number)):
            return self._decoders[self._topics[self._kinds[at]]](data)

    def where(self, number: int) -> str:
        """Which message that is, for error texts."""
        at = int(self._order[number])
        return f"{self._log.path}: message {at} of {self.topic}, of {self.stamps[number] / 1e9:.9f} s,"

    def _learn(self, topic: Topic) -> None:
        if self._type is not None and _short(self._type) != _short(topic.type):
            raise DatasetError(
                f"{self._log.path}: {self.topic} has messages of {topic.type or 'no type'}",
                expected=f"{self._type}, as stream {self.name} says",
            )
        self._decoders[topic] = Decoder(topic)
        self._topics.append(topic)

    def _time(self, message: Message) -> int | None:
        """Time that counts; None for a message that is of another sender on the same topic."""
        decoded = None
        # The first frames of a video may need others that were not recorded.
        waits_for_key = _VIDEO in message.topic.type and not self._times
        if self._names or waits_for_key or self._clock == "header":
            decoded = self._decoders[message.topic](message.data)
        if self._names and (known := named_elements(decoded)):
            if not self._names & set(known):
                self._others = tuple(known)
                return None
            if missing := self._names - set(known):
                raise ValueError(f"it names {', '.join(known)}, and not {', '.join(sorted(missing))}")
        if waits_for_key and is_video(decoded) and not is_key(decoded):
            self._before_key += 1
            return None
        if self._clock != "header":
            return message.log_time if self._clock == "log" else message.publish_time
        path = stamp_path(decoded, self._stamp)
        if path is None:
            raise ValueError("it has no stamp")
        return stamp_of(path.of(decoded))

    def _hint(self) -> str:
        return "without stamps that can be trusted: clock: log" if self._clock == "header" else ""


def new_streams(log: Log, contract: Contract) -> dict[str, Stream]:
    """The streams of a contract for one log, without messages yet.

    Args:
        log: the log.
        contract: the streams, and which names are taken from each.
    """
    names: dict[str, set[str]] = {name: set() for name in contract.streams}
    for parts in contract.features.values():
        for part in parts:
            names[part.stream].update(part.names)
    return {
        name: Stream(log, name, config.topic, config.clock, type_=config.type, stamp=config.stamp, names=names[name])
        for name, config in contract.streams.items()
    }


def fill(log: Log, streams: Iterable[Stream]) -> None:
    """Give every message of a log to the streams of its topic.

    Raises:
        DatasetError: the log is damaged or lacks a topic, or a message cannot be read.
    """
    by_topic: dict[str, list[Stream]] = {}
    for stream in streams:
        by_topic.setdefault(stream.topic, []).append(stream)
    seen = set()
    for file, message in log.messages():
        check_stop()
        seen.add(message.topic.name)
        for stream in by_topic.get(message.topic.name, ()):
            stream.take(file, message)
    for told in log.cut_off:
        logger.warning(told)
    for topic in by_topic:
        if topic not in seen:
            near = difflib.get_close_matches(topic, seen, n=1)
            raise DatasetError(
                f"{log.path} has no message of {topic}",
                expected=f"one of {', '.join(sorted(seen)) or 'no topic: there is no message'}",
                hint=f"Did you mean {near[0]!r}?" if near else "",
            )
    for streams_of in by_topic.values():
        for stream in streams_of:
            stream.close_index()


def _short(name: str) -> str:
    """`sensor_msgs/JointState` of `sensor_msgs/msg/JointState`."""
    return name.replace("/msg/", "/")
