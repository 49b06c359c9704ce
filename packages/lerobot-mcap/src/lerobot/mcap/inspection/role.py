"""What a topic may be in a dataset, by the form of its messages and the words in its name."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.mcap.contract import IMAGES, TASK
from lerobot.mcap.inspection.survey import TopicSurvey
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.message.image import image_of
from lerobot.mcap.message.numbers import named_elements, numbers_of
from lerobot.mcap.message.path import FieldPath, fields_of
from lerobot.mcap.message.video import is_video

_COMMANDS = ("command", "cmd", "target", "goal", "leader", "action", "desired", "trajectory", "reference")
_TASKS = ("task", "instruction", "prompt", "language")
_OF_CAMERAS = (
    "image",
    "raw",
    "compressed",
    "compressedDepth",
    "color",
    "rgb",
    "camera",
    "depth",
    "rect",
    "video",
    "observation",
    "images",
)
"""Words in names of topics that say nothing about which camera it is."""
_OF_STREAMS = ("observation", "action", "joint", "states", "state", "commands", "command", "controller")

STATE, ACTION = "observation.state", "action"


@dataclass(frozen=True, slots=True)
class Role:
    """A part of a feature that a topic may be.

    Attributes:
        topic: the topic.
        stream: name of its stream.
        feature: the feature.
        field: path of the values; empty for images.
        names: their names; empty if the messages name none.
        align: which message of it a frame takes.
        size: how many values.
    """

    topic: TopicSurvey
    stream: str
    feature: str
    field: str
    names: tuple[str, ...]
    align: Literal["hold", "nearest"]
    size: int = 0


def role_of(topic: TopicSurvey) -> Role | str:
    """What a topic may be, or why it is not proposed."""
    if topic.sample is None:
        return topic.problem
    fields = set(fields_of(topic.sample))
    if {"format", "data"} <= fields or {"encoding", "height", "width", "step", "data"} <= fields:
        return _camera(topic)
    if topic.text is not None:
        is_task = any(word in topic.topic.name.lower() for word in _TASKS)
        return Role(topic, "task", TASK, "data", (), "hold") if is_task else "texts"
    for path in ("position", "points[0].positions", "data"):
        if (role := _numbers(topic, path)) is not None:
            return role
    return f"no proposal for {topic.topic.type or 'messages'} of {', '.join(sorted(fields)) or 'no fields'}"


def _camera(topic: TopicSurvey) -> Role | str:
    name = _words(topic.topic.name, _OF_CAMERAS) or "camera"
    if is_video(topic.sample):
        return Role(topic, name, IMAGES + name, "", (), "nearest")
    try:
        with reading_log("its first image"):
            image = image_of(topic.sample)
    except DatasetError as error:
        return error.what
    if image.dtype != np.uint8:
        name += "_depth"
    return Role(topic, name, IMAGES + name, "", (), "nearest")


def _numbers(topic: TopicSurvey, path: str) -> Role | None:
    try:
        values = numbers_of(topic.sample, FieldPath(path), ())
    except (ValueError, TypeError):
        return None
    if not len(values):
        return None
    known = named_elements(topic.sample)
    feature = ACTION if any(word in topic.topic.name.lower() for word in _COMMANDS) else STATE
    stream = _words(topic.topic.name, _OF_STREAMS) or ("joints" if feature == STATE else "commands")
    names = tuple(known) if len(known) == len(values) else ()
    return Role(topic, stream, feature, path, names, "hold" if feature == ACTION else "nearest", len(values))


def _words(topic: str, common: tuple[str, ...]) -> str:
    """The words of a topic's name that are its own."""
    words = [word for part in topic.strip("/").split("/") for word in part.split("_")]
    return "_".join(word for word in words if word and word not in common)
