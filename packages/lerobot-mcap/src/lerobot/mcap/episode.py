"""Which frames make an episode: by files, silences or events, and what gaps do to them."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.words import counted
from lerobot.mcap.align import Times, align, grid, runs
from lerobot.mcap.contract import FIXED, Contract
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.message.path import FieldPath
from lerobot.mcap.stream import Stream

logger = logging.getLogger(__name__)

MOST_FRAMES = 10_000_000
"""Frames of one episode: four days at 30 a second. More are a wrong time, for which there is no memory."""

GAPS_TOLD = 3
"""Gaps of one stream in one episode that are told one by one."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Frames of one episode.

    Attributes:
        name: log and time, for messages.
        log: number of the log.
        frames: `(n,)` time of each frame, nanoseconds since 1970.
        task: instruction that its event says.
        outcome: how it went, as its event says.
    """

    name: str
    log: int
    frames: Times
    task: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of a log.

    Attributes:
        start: its first nanosecond.
        end: the one after its last.
        is_marked: whether somebody said where it begins and ends; where not, it does as soon as all streams are there.
        task: see `Episode`.
        outcome: see `Episode`.
    """

    start: int
    end: int
    is_marked: bool
    task: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class LogStreams:
    """What is known of one log.

    Attributes:
        name: its path.
        number: its number among the logs.
        streams: those that features are made of, by name.
        others: every other one that the contract names: of the grid, of silences.
        events: the stream of marks; None if there is none.
    """

    name: str
    number: int
    streams: Mapping[str, Stream]
    others: Mapping[str, Stream]
    events: Stream | None

    def __getitem__(self, name: str) -> Stream:
        return self.streams[name] if name in self.streams else self.others[name]

    @property
    def begin(self) -> int:
        """When it begins: texts count seconds from there."""
        return min(int(stream.stamps[0]) for stream in self.streams.values())


def find_episodes(log: LogStreams, contract: Contract) -> list[Episode]:
    """The episodes of one log.

    Args:
        log: its streams.
        contract: what an episode is, and what gaps do.

    Raises:
        DatasetError: a gap is to be refused, or a mark cannot be read.
    """
    episodes: list[Episode] = []
    for span in _spans(log, contract):
        frames = _frames(log, contract, span)
        for first, end in _whole_parts(log, contract, frames, span.is_marked):
            times = frames[first:end]
            place = f"{log.name} {_seconds(log, times[0])} to {_seconds(log, times[-1])} s"
            if (times[-1] - times[0]) / 1e9 + 1 / contract.fps < contract.shortest_s:
                logger.warning("%s: left out, shorter than %g s", place, contract.shortest_s)
            elif len(times) <= contract.ahead:
                logger.warning("%s: left out, it has only %s", place, counted(len(times), "frame"))
            else:
                episodes.append(Episode(place, log.number, times, span.task, span.outcome))
    return episodes


def _spans(log: LogStreams, contract: Contract) -> Iterator[_Span]:
    episodes = contract.episodes
    if log.events is not None:
        yield from _marked(log, log.events, contract)
        return
    start = max(int(stream.stamps[0]) for stream in log.streams.values())
    end = max(int(stream.stamps[-1]) for stream in log.streams.values()) + 1
    if episodes.stream is None:
        yield _Span(start, end, is_marked=False)
        return
    stamps = log[episodes.stream].stamps
    silences = np.flatnonzero(np.diff(stamps) > float(episodes.longer_than_s or 0) * 1e9)
    firsts = stamps[np.concatenate([[0], silences + 1])].tolist()
    lasts = stamps[np.append(silences, -1)].tolist()
    for first, last in zip(firsts, lasts, strict=True):
        yield _Span(first, last + 1, is_marked=False)


def _marked(log: LogStreams, events: Stream, contract: Contract) -> Iterator[_Span]:
    begins, ends = contract.episodes.start_pattern, contract.episodes.stop_pattern
    path = FieldPath(contract.episodes.text)
    open_since: tuple[int, str | None] | None = None
    for number, stamp in enumerate(events.stamps.tolist()):
        with reading_log(events.where(number)):
            text = path.of(events.read(number))
            if not isinstance(text, str):
                raise ValueError(f"{path.text} is {text!r:.60}, not a text")
        if found := begins.fullmatch(text):
            if open_since is not None:
                _not_ended(log, open_since[0])
            open_since = stamp, found.groupdict().get("task")
        elif found := ends.fullmatch(text):
            if open_since is None:
                logger.warning("%s: %r at %s s ends no episode", log.name, text, _seconds(log, stamp))
                continue
            yield _Span(open_since[0], stamp, True, open_since[1], found.groupdict().get("outcome"))
            open_since = None
    if open_since is not None:
        _not_ended(log, open_since[0])


def _not_ended(log: LogStreams, start: int) -> None:
    logger.warning("%s: the episode from %s s on is left out: nothing ends it", log.name, _seconds(log, start))


def _frames(log: LogStreams, contract: Contract, span: _Span) -> Times:
    if contract.grid == FIXED:
        seconds = (span.end - span.start) / 1e9
        if seconds * contract.fps > MOST_FRAMES:
            raise DatasetError(
                f"{log.name}: its messages are of {seconds:.0f} seconds, which are {seconds * contract.fps:.0f} frames",
                expected=f"at most {MOST_FRAMES} frames in an episode",
                hint="a time may be wrong: look at the longest gaps of lerobot mcap-contract, or cut by gap",
            )
        return grid(span.start, span.end, contract.fps)
    stamps = log[contract.grid].stamps
    return stamps[(stamps >= span.start) & (stamps < span.end)]


def _whole_parts(log: LogStreams, contract: Contract, frames: Times, is_marked: bool) -> list[tuple[int, int]]:
    """Frames that have a message of every stream, as pairs of first and one after the last.

    Raises:
        DatasetError: there is a gap, and the contract refuses gaps.
    """
    found = {
        name: align(contract.streams[name].align, stream.stamps, frames, contract.streams[name].tolerance_ms).found
        for name, stream in log.streams.items()
    }
    whole: NDArray[np.bool_] = np.logical_and.reduce(list(found.values()))
    if not whole.any():
        if len(frames):
            nothing = [name for name, present in found.items() if not present.any()] or list(found)
            place = f"{_seconds(log, frames[0])} to {_seconds(log, frames[-1])} s"
            logger.warning("%s %s: left out, no frame has a message of %s", log.name, place, ", ".join(nothing))
        return []
    first, end = 0, len(frames)
    if not is_marked:
        first, end = int(whole.argmax()), end - int(whole[::-1].argmax())
    if whole[first:end].all():
        return [(first, end)]
    gaps = [line for name in found for line in _gaps(log, contract, name, frames, found[name], first, end)]
    if contract.on_gap == "refuse":
        raise DatasetError(gaps[0], hint="on_gap: cut or drop, a larger tolerance_ms, or a contract without the stream")
    for line in gaps:
        logger.warning("%s; the episode is %s", line, "cut there" if contract.on_gap == "cut" else "dropped")
    if contract.on_gap == "drop":
        return []
    return [(first + begin, first + stop) for begin, stop in runs(whole[first:end])]


def _gaps(
    log: LogStreams, contract: Contract, name: str, frames: Times, found: NDArray[np.bool_], first: int, end: int
) -> list[str]:
    """What is said about the gaps of one stream."""
    config = contract.streams[name]
    missing = runs(~found[first:end])
    lines = [
        f"{log.name}: {config.topic} ({name}) has no message for frames {begin} to {stop - 1}, "
        f"{_seconds(log, frames[first + begin])} to {_seconds(log, frames[first + stop - 1])} s "
        f"({config.align}, {config.tolerance_ms:g} ms)"
        for begin, stop in missing[:GAPS_TOLD]
    ]
    if len(missing) > GAPS_TOLD:
        lines[-1] += f", and {counted(len(missing) - GAPS_TOLD, 'gap')} more"
    return lines


def _seconds(log: LogStreams, stamp: int | np.int64) -> str:
    return f"{(int(stamp) - log.begin) / 1e9:.3f}"
