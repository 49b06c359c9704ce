"""The contract of an import: which messages of a log become which features, at which time, how late at most."""

import math
import re
from typing import Literal, Self

from pydantic import Field, field_serializer, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel

Clock = Literal["header", "log", "publish"]
"""When a message counts as: when it was measured (its own stamp), was recorded, or was handed to the middleware."""

Policy = Literal["hold", "nearest", "linear"]
"""Which message a frame takes: the last one until then, the nearest one, or the line between its two neighbours."""

Unit = Literal["rad", "deg", "m", "mm", "s", "ms"]

PER_UNIT: dict[str, tuple[str, float]] = {
    "rad": ("angle", 1.0),
    "deg": ("angle", 3.141592653589793 / 180),
    "m": ("length", 1.0),
    "mm": ("length", 0.001),
    "s": ("time", 1.0),
    "ms": ("time", 0.001),
}
"""What a unit measures, and how much of the first unit of its kind it is."""

FIXED = "fixed"
IMAGES = "observation.images."
TASK = "task"

PATH = re.compile(r"[A-Za-z]\w*(\[\d+\])?(\.[A-Za-z]\w*(\[\d+\])?)*")
_GAP = {"task": "(?P<task>.+)", "outcome": "(?P<outcome>.+)"}


def _check_path(path: str | None) -> str | None:
    if path is not None and not PATH.fullmatch(path):
        raise PydanticCustomError("field_path", "a field by its path, such as 'position' or 'points[0].positions'")
    return path


class StreamConfig(ConfigModel):
    """Messages of one topic, and which of them a frame takes."""

    topic: str = Field(description="Topic of the messages.")
    type: str | None = Field(default=None, description="Type that the messages must have; not checked if unset.")
    clock: Clock = Field(description="Time that counts: header (when it was measured), log or publish.")
    stamp: str | None = Field(
        default=None, description="Path of the stamp for clock header; 'header.stamp' or 'timestamp' if unset."
    )
    align: Policy = Field(description="Message of a frame: hold (the last one), nearest, or linear between two.")
    tolerance_ms: float = Field(
        gt=0,
        description="Largest distance of a message from its frame, or of the two neighbours of linear; .inf for none.",
    )

    @field_validator("stamp")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        return _check_path(value)

    @field_serializer("tolerance_ms", when_used="json")
    def _without_infinity(self, value: float) -> float | str:
        """JSON knows no infinity; its name is read as the number."""
        return value if math.isfinite(value) else str(value)


class PartConfig(ConfigModel):
    """What a feature takes from a stream."""

    stream: str = Field(description="Name of the stream.")
    field: str | None = Field(
        default=None, description="Path of the value, such as 'position' or 'points[0].positions'; images need none."
    )
    names: tuple[str, ...] = Field(
        default=(), description="Elements in the order of the feature: by name where the message has names."
    )
    kind: Literal["number", "angle", "quaternion"] = Field(
        default="number", description="How linear goes between two values: straight, by the shorter arc, by slerp."
    )
    unit: Unit | None = Field(default=None, description="Unit of the log; for angles that are interpolated too.")
    store_as: Unit | None = Field(default=None, description="Unit of the dataset; the log's if unset.")
    scale: float = Field(default=1.0, description="Factor, after the units.")
    offset: float = Field(default=0.0, description="Added after the factor.")
    ahead: int = Field(
        default=0, ge=0, description="Take the value of so many frames later: 1 makes the next state the action."
    )

    @field_validator("field")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        return _check_path(value)

    @model_validator(mode="after")
    def _units_fit(self) -> Self:
        if self.store_as is not None and (self.unit is None or PER_UNIT[self.unit][0] != PER_UNIT[self.store_as][0]):
            raise PydanticCustomError("unit", "a unit of the same kind as store_as ({unit})", {"unit": self.store_as})
        if self.kind == "angle" and (self.unit is None or PER_UNIT[self.unit][0] != "angle"):
            raise PydanticCustomError("unit", "a unit for angles: rad or deg")
        if self.kind == "quaternion" and len(self.names) != 4:
            raise PydanticCustomError("names", "four names for a quaternion, such as [x, y, z, w]")
        return self

    @property
    def factor(self) -> float:
        """What values of the log are multiplied by."""
        if self.unit is None or self.store_as is None:
            return self.scale
        return PER_UNIT[self.unit][1] / PER_UNIT[self.store_as][1] * self.scale


class EpisodesConfig(ConfigModel):
    """What an episode is."""

    by: Literal["file", "gap", "event"] = Field(
        default="file", description="Each log is one, a silence ends one, or texts on a topic begin and end them."
    )
    stream: str | None = Field(default=None, description="With gap: the stream whose silence counts.")
    longer_than_s: float | None = Field(default=None, gt=0, description="With gap: seconds between two episodes.")
    topic: str | None = Field(default=None, description="With event: the topic.")
    text: str = Field(default="data", description="With event: path of the text.")
    clock: Clock = Field(default="log", description="With event: time that counts; see clock of a stream.")
    start: str | None = Field(
        default=None, description="With event: text that begins an episode; {task} stands for the instruction."
    )
    stop: str | None = Field(
        default=None, description="With event: text that ends it; {outcome} stands for how it went."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        given = {
            "stream": ("gap", self.stream),
            "longer_than_s": ("gap", self.longer_than_s),
            "topic": ("event", self.topic),
            "start": ("event", self.start),
            "stop": ("event", self.stop),
        }
        for name, (by, value) in given.items():
            if (value is not None) != (self.by == by):
                what = f"{name} as well with by: {by}" if value is None else f"no {name} with by: {self.by}"
                raise PydanticCustomError("episodes", "{what}", {"what": what})
        _check_path(self.text)
        return self

    @property
    def start_pattern(self) -> re.Pattern[str]:
        """What a text that begins an episode looks like."""
        return _pattern(self.start or "")

    @property
    def stop_pattern(self) -> re.Pattern[str]:
        """What a text that ends an episode looks like."""
        return _pattern(self.stop or "")


def _pattern(text: str) -> re.Pattern[str]:
    escaped = re.escape(text)
    for name, group in _GAP.items():
        escaped = escaped.replace(re.escape(f"{{{name}}}"), group, 1)
    return re.compile(escaped, re.DOTALL)


class Contract(ConfigModel):
    """How a log becomes a dataset; nothing that matters has a default that could be wrong in silence."""

    version: Literal[1] = Field(default=1, description="Version of this form.")
    fps: float = Field(gt=0, description="Frames per second of the dataset.")
    task: str | None = Field(default=None, description="Instruction, if no message says it.")
    grid: str = Field(
        default=FIXED, description="'fixed': frames at fps; the name of a stream: each message of it is a frame."
    )
    episodes: EpisodesConfig = Field(default=EpisodesConfig(), description="What an episode is.")
    on_gap: Literal["cut", "drop", "refuse"] = Field(
        description="An episode with frames that lack a message: cut there, dropped, or the import refused."
    )
    shortest_s: float = Field(default=0.0, ge=0, description="Shorter episodes are dropped.")
    stamps: bool = Field(
        default=False,
        description="Keep the times of messages: stamp_ns.FEATURE, and capture_time.FEATURE in seconds of the episode.",
    )
    streams: dict[str, StreamConfig] = Field(description="Topics that are read, each under a name.")
    features: dict[str, tuple[PartConfig, ...]] = Field(
        description="Features of the dataset, each with the parts that it is put together from; 'task' as well."
    )

    @property
    def ahead(self) -> int:
        """Frames at the end of an episode that only others look ahead to."""
        return max((part.ahead for parts in self.features.values() for part in parts), default=0)

    @model_validator(mode="after")
    def _parts_are_of_streams(self) -> Self:
        used = {part.stream: key for key, parts in self.features.items() for part in parts}
        if self.episodes.stream is not None:
            used[self.episodes.stream] = "episodes"
        if self.grid != FIXED:
            used[self.grid] = "grid"
        for stream, where in used.items():
            if stream not in self.streams:
                known = ", ".join(self.streams)
                raise PydanticCustomError(
                    "stream",
                    "{where} to name a stream of {known}, not '{stream}'",
                    {"where": where, "known": known, "stream": stream},
                )
        for key, parts in self.features.items():
            self._check_feature(key, parts)
        return self

    @staticmethod
    def _check_feature(key: str, parts: tuple[PartConfig, ...]) -> None:
        image = key.startswith(IMAGES)
        if not parts or (len(parts) > 1 and (image or key == TASK)):
            raise PydanticCustomError("parts", "{key} to have {n} part", {"key": key, "n": "one" if parts else "a"})
        if not image and any(part.field is None for part in parts):
            raise PydanticCustomError("parts", "{key} to say the field of each part", {"key": key})
