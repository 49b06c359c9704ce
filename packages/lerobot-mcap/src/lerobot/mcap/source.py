"""Logs as a source that `lerobot convert-dataset` imports."""

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.source import TASK, TEXT, SourceField
from lerobot.datasets.format.extra_columns import capture_time_key
from lerobot.mcap.align import Aligned, align
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract, PartConfig, StreamConfig
from lerobot.mcap.episode import Episode, LogStreams, find_episodes
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.log import Log
from lerobot.mcap.part import Part, make_part
from lerobot.mcap.stamps import stamp_key
from lerobot.mcap.stream import Stream, fill, new_streams

logger = logging.getLogger(__name__)

OUTCOME = "outcome"
"""Column with how an episode went, as `lerobot record` has it."""

_EVENTS = "episodes"

_LARGE = 200_000_000
"""Bytes of a log that take some seconds."""


def open_mcap(config: McapConfig) -> "McapSource":
    """Open a log, a bag, or a folder of them.

    Raises:
        DatasetError: there is none, it is damaged, or it does not fit the contract.
    """
    if config.contract is None:
        raise DatasetError(
            f"nothing says what the topics of {config.path} become",
            expected="--from.contract=contract.yaml",
            hint=f"lerobot mcap-contract {config.path} > contract.yaml",
        )
    logs = [Log(path) for path in config.chosen_files()]
    try:
        source = McapSource(logs, config.contract)
        # Some files of a folder, as one shard of an import has them, may have none.
        if not source.episodes and config.files is None:
            raise DatasetError(
                f"{config.path}: no episode is left",
                expected="frames with a message of every stream; warnings say what is missing",
            )
    except BaseException:
        for log in logs:
            log.close()
        raise
    return source


class McapSource:
    """Frames of logs; see `EpisodeSource`.

    Args:
        logs: the open logs, which the source closes.
        contract: what becomes what.

    Raises:
        DatasetError: a log is damaged or does not fit the contract.
    """

    def __init__(self, logs: list[Log], contract: Contract) -> None:
        self._logs = logs
        self._contract = contract
        self._streams = [_index(log, number, contract) for number, log in enumerate(logs)]
        self._episodes = [episode for log in self._streams for episode in find_episodes(log, contract)]
        self._parts = {
            (feature, number): self._make_part(feature, part)
            for feature, parts in contract.features.items()
            for number, part in enumerate(parts)
        }
        self._tell()
        self.fields = self._all_fields()
        self.episodes = [episode.name for episode in self._episodes]
        self.fps = contract.fps
        self.task = contract.task

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        chosen = self._episodes[episode]
        for number, log in enumerate(self._logs):
            if number != chosen.log:
                log.close()  # A folder of a thousand logs keeps one open.
        readers = {
            name: _FrameStream(stream, self._contract.streams[name], chosen)
            for name, stream in self._streams[chosen.log].streams.items()
        }
        wanted = {key: part for key, part in self._parts.items() if part.field.name in names}
        times = chosen.frames.tolist()
        for row in range(len(times) - self._contract.ahead):
            frame: dict[str, Any] = {TASK: chosen.task, OUTCOME: chosen.outcome}
            for (feature, number), part in wanted.items():
                config = self._contract.features[feature][number]
                frame[part.field.name] = readers[config.stream].value(row + config.ahead, part)
            frame |= self._times(times, readers, row)
            yield {name: frame[name] for name in names}

    def close(self) -> None:
        """See `EpisodeSource.close`."""
        for log in self._logs:
            log.close()

    def _tell(self) -> None:
        """Say what a user should know before training on it: held messages, and clocks that do not fit together."""
        repeats = dict.fromkeys(self._contract.streams, 0)
        for episode in self._episodes:
            for name, stream in self._streams[episode.log].streams.items():
                config = self._contract.streams[name]
                shown = align(config.align, stream.stamps, episode.frames, config.tolerance_ms)
                repeats[name] += int(((np.diff(shown.first) == 0) & (shown.first == shown.second)[1:]).sum())
        if any(repeats.values()):
            held = ", ".join(f"{name} {count}" for name, count in repeats.items() if count)
            frames = sum(len(episode.frames) for episode in self._episodes)
            logger.info("frames of %d that show the message of the frame before: %s", frames, held)
        clocks = {name: self._contract.streams[name].clock for name in self._streams[0].streams}
        recorded = [name for name, clock in clocks.items() if clock != "header"]
        for name, stream in self._streams[0].streams.items():
            if recorded and clocks[name] == "header" and stream.delay_ms > 1000 / self._contract.fps:
                told = "%s is recorded %.0f ms after it was measured; %s may be as late beside it, by the log's time"
                logger.warning(told, name, stream.delay_ms, ", ".join(recorded))

    def _times(self, frames: list[int], readers: "Mapping[str, _FrameStream]", row: int) -> dict[str, Any]:
        times: dict[str, Any] = {}
        for feature in self._contract.features if self._contract.stamps else ():
            rows = {name: row + ahead for name, ahead in self._streams_of(feature).items()}
            stamps = np.array([readers[name].stamp(at, frames[at]) for name, at in rows.items()], np.int64)
            times[stamp_key(feature)] = stamps
            # A vector counts as old as its oldest element, as in a recording.
            times[capture_time_key(feature)] = np.float64((stamps.min() - frames[0]) / 1e9)
        return times

    def _streams_of(self, feature: str) -> dict[str, int]:
        """The streams that a feature is made of, and how many frames ahead."""
        return {part.stream: part.ahead for part in self._contract.features[feature]}

    def _make_part(self, feature: str, config: PartConfig) -> Part:
        stream = self._streams[self._episodes[0].log if self._episodes else 0][config.stream]
        named = [name for part in self._contract.features[feature] for name in part.names]
        with reading_log(stream.where(0), hint=f"see {feature} in the contract"):
            return make_part(
                feature,
                config,
                self._contract.streams[config.stream].align,
                stream.read(0),
                is_named_by_stream=len(set(named)) < len(named),
            )

    def _all_fields(self) -> tuple[SourceField, ...]:
        fields = [part.field for part in self._parts.values()]
        if "task" in self._contract.episodes.start_pattern.groupindex:
            fields.append(SourceField(TASK, TEXT, (), TASK))
        if "outcome" in self._contract.episodes.stop_pattern.groupindex:
            fields.append(SourceField(OUTCOME, TEXT, (), OUTCOME))
        for feature in self._contract.features if self._contract.stamps else ():
            stamps, captured, streams = stamp_key(feature), capture_time_key(feature), self._streams_of(feature)
            fields.append(SourceField(stamps, "int64", (len(streams),), stamps, tuple(streams)))
            fields.append(SourceField(captured, "float64", (), captured))
        names = [field.name for field in fields]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise DatasetError(f"the contract takes {', '.join(sorted(repeated))} twice", expected="each thing once")
        return tuple(fields)


class _FrameStream:
    """Messages of one stream for the frames of an episode, decoded once however often they are shown."""

    def __init__(self, stream: Stream, config: StreamConfig, episode: Episode) -> None:
        self._stream = stream
        self._aligned: Aligned = align(config.align, stream.stamps, episode.frames, config.tolerance_ms)
        self._messages: OrderedDict[int, Any] = OrderedDict()
        self._shown: dict[str, tuple[tuple[int, int, float], Any]] = {}

    def value(self, row: int, part: Part) -> Any:
        """A part's value in a frame."""
        aligned = self._aligned
        place = int(aligned.first[row]), int(aligned.second[row]), float(aligned.weight[row])
        known = self._shown.get(part.field.name)
        if known is None or known[0] != place:
            first, second, weight = place
            value = self._read(first, part)
            if second != first:
                value = part.between(value, self._read(second, part), weight)
            known = self._shown[part.field.name] = place, value
        return known[1]

    def stamp(self, row: int, time: int) -> int:
        """Time of a frame's message; that of the frame where it is from between two messages."""
        first, second = int(self._aligned.first[row]), int(self._aligned.second[row])
        return int(self._stream.stamps[first]) if first == second else time

    def _read(self, number: int, part: Part) -> Any:
        if number not in self._messages:
            self._messages[number] = self._stream.read(number)
            if len(self._messages) > 2:
                self._messages.popitem(last=False)
        with reading_log(self._stream.where(number)):
            return part.value(self._messages[number])


def _index(log: Log, number: int, contract: Contract) -> LogStreams:
    """Read a log once, for the times and places of its messages."""
    streams = new_streams(log, contract)
    marks = contract.episodes
    events = None if marks.topic is None else Stream(log, _EVENTS, marks.topic, marks.clock)
    if log.size > _LARGE:
        logger.info("%s: looking for the times of its messages in %.1f GB", log.path, log.size / 1e9)
    fill(log, [*streams.values(), *([] if events is None else [events])])
    log.close()
    used = {part.stream for parts in contract.features.values() for part in parts}
    return LogStreams(
        str(log.path),
        number,
        {name: stream for name, stream in streams.items() if name in used},
        {name: stream for name, stream in streams.items() if name not in used},
        events,
    )
