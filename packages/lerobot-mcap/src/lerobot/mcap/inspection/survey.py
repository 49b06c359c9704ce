"""What is known of each topic of a log after one look at every message."""

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.core.signals import check_stop
from lerobot.mcap.contract import Clock
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.log import Log
from lerobot.mcap.log.topic import Message
from lerobot.mcap.message.decoder import Decoder
from lerobot.mcap.message.path import fields_of
from lerobot.mcap.message.stamp import stamp_of, stamp_path

MOST_TEXTS = 1000
"""Different texts of a topic that are kept."""
_BACK_NS = -1_000_000_000


Report = Callable[[int], None]
"""Is told how many bytes of all logs were looked at."""


class TopicSurvey:
    """One topic.

    Attributes:
        topic: its name, type and encoding, of the first message.
        sample: its first message; None if it cannot be read.
        problem: why its messages or stamps cannot be read; empty if they can.
        texts: its texts, if its messages are texts.
    """

    def __init__(self, first: Message) -> None:
        self.topic = first.topic
        self.sample: Any = None
        self.problem = ""
        self.texts: dict[str, None] = {}
        self._log_times, self._stamps = array("q"), array("q")
        self._logs = [0]
        try:
            self._decoder = Decoder(first.topic)
            with reading_log(f"message 0 of {self.topic.name}"):
                self.sample = self._decoder(first.data)
        except LeRobotError as error:
            self.problem = error.what
        self._stamp = stamp_path(self.sample, None)

    def next_log(self) -> None:
        """What follows is of another log: its times have nothing to do with those before."""
        self._logs.append(self.count)

    def take(self, message: Message) -> None:
        """Look at a message."""
        self._log_times.append(message.log_time)
        has_text = isinstance(self.text, str)
        if self.sample is None or message.topic != self.topic or not (self._stamp or has_text):
            return
        try:
            with reading_log(f"message {self.count - 1} of {self.topic.name}"):
                decoded = self._decoder(message.data)
                if has_text and len(self.texts) < MOST_TEXTS:
                    self.texts[str(decoded["data"])] = None
                if self._stamp is not None:
                    self._stamps.append(stamp_of(self._stamp.of(decoded)))
        except LeRobotError as error:
            self.problem = self.problem or error.what

    @property
    def text(self) -> str | None:
        """The first message's text; None if its messages are no texts."""
        if fields_of(self.sample) != ["data"]:
            return None
        text = self.sample["data"]
        return text if isinstance(text, str) else None

    @property
    def count(self) -> int:
        """Its messages."""
        return len(self._log_times)

    @property
    def clock(self) -> Clock:
        """The clock to trust: the messages' own stamps, if every one has one and none runs far back."""
        if len(self._stamps) < self.count:
            return "log"
        return "log" if any((np.diff(stamps) < _BACK_NS).any() for stamps in self._by_log(self._stamps)) else "header"

    @property
    def intervals_s(self) -> NDArray[np.float64]:
        """Times from message to message, by that clock and within a log."""
        times = self._by_log(self._stamps if self.clock == "header" else self._log_times)
        return np.concatenate([np.diff(np.sort(each)) for each in times]) / 1e9

    @property
    def interval_s(self) -> float:
        """Median time from message to message; 0 for fewer than two."""
        intervals = self.intervals_s
        return float(np.median(intervals)) if intervals.size else 0.0

    @property
    def jitter_ms(self) -> float:
        """What 99 of 100 intervals differ from the median by at most; 0 for fewer than two messages."""
        intervals = self.intervals_s * 1000
        return float(np.percentile(np.abs(intervals - np.median(intervals)), 99)) if intervals.size else 0.0

    @property
    def longest_gap_s(self) -> float:
        """Longest time without a message between the first and the last; 0 for fewer than two messages."""
        intervals = self.intervals_s
        return float(intervals.max()) if intervals.size else 0.0

    @property
    def delay_ms(self) -> float | None:
        """Median time from the stamp to the recording; None without stamps."""
        if not self._stamps or len(self._stamps) < self.count:
            return None
        delays = np.frombuffer(self._log_times, np.int64) - np.frombuffer(self._stamps, np.int64)
        return float(np.median(delays)) / 1e6

    def _by_log(self, times: "array[int]") -> list[NDArray[np.int64]]:
        return np.split(np.frombuffer(times, np.int64), self._logs[1:])


def survey(logs: Iterable[Log], report: Report = lambda _: None) -> list[TopicSurvey]:
    """Look at every message of logs.

    Args:
        logs: the logs, which are closed.
        report: is told about progress.

    Raises:
        DatasetError: a log is damaged.
    """
    topics: dict[str, TopicSurvey] = {}
    before = 0
    for log in logs:
        for file, message in log.messages():
            check_stop()
            report(before + log.position(file, message.place))
            name = message.topic.name
            if name not in topics:
                topics[name] = TopicSurvey(message)
            topics[name].take(message)
        log.close()
        before += log.size
        for topic in topics.values():
            topic.next_log()
    return sorted(topics.values(), key=lambda each: each.topic.name)
