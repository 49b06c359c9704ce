"""Episodes, and frames, that meet conditions on their columns.

A condition compares one value of an episode with another:

- `outcome == failure`, `length < 30`, `task != 'Pick up the cube'`: a column that has the same value in every frame of
  the episode, the number of its frames, or its instruction;
- `last(next.reward) < 0.5`, with `first`, `min`, `max` or `mean`: the frames' values made one;
- `any(observation.effort[gripper.pos]) > 2`, or `all`: whether some or every frame meets it.

An element of a vector stands in brackets, by its name or number. Where frames are chosen, a column alone is about each
frame for itself: `intervention == true` is every frame in which a person acted, `any(intervention) == true` every frame
of an episode in which one did.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.format.features import NUMERIC_DTYPES, STRING, FeatureMap, element_names
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.storage.numbers import column_to_numpy

_OVER: dict[str, Callable[[NDArray[Any]], Any]] = {
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "min": np.min,
    "max": np.max,
    "mean": np.mean,
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(
    rf"(?:(?P<over>{'|'.join([*_OVER, 'any', 'all'])})\()?(?P<name>[^()\[\]<>=!]+?)(?:\[(?P<element>[^\]]+)\])?"
    rf"(?(over)\))\s*(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>.+)"
)
_LENGTH, _TASK = "length", "task"


@dataclass(frozen=True, slots=True)
class _Condition:
    text: str
    over: str | None
    name: str
    element: str | None
    compare: Callable[[Any, Any], Any]
    is_equality: bool
    value: str


@dataclass(frozen=True, slots=True)
class _Recording:
    """What conditions are about: `column` and `tasks` give a value per frame, of the episodes one after another."""

    label: str
    features: FeatureMap
    lengths: NDArray[np.int64]
    column: Callable[[str], NDArray[Any]]
    tasks: Callable[[], NDArray[Any]]


def episodes_where(source: EditSource, conditions: Sequence[str]) -> NDArray[np.int64]:
    """Numbers of the episodes that meet every condition, ascending; see the module.

    Args:
        source: the dataset.
        conditions: at least one.

    Raises:
        DatasetError: a condition cannot be read, or its column differs within an episode where it must not.
        FeatureMismatchError: it names no column of numbers or texts, or no element of it.
    """
    recording = _Recording(
        label=str(source.root),
        features=source.info.features,
        lengths=source.episodes.column("length"),
        column=lambda key: _column_of_files(source, key),
        tasks=lambda: np.array(source.tasks.names, object)[source.task_numbers()],
    )
    met = np.ones(len(source.episodes), np.bool_)
    for text in conditions:
        condition = _parse(text)
        met &= [_is_met(condition, values, episode) for episode, values in enumerate(_values(recording, condition))]
    return np.flatnonzero(met)


def frames_where(dataset: FrameDataset, conditions: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each frame of the chosen episodes meets every condition, `(frames,)`; see the module.

    Args:
        dataset: the frames.
        conditions: at least one.

    Raises:
        DatasetError: a condition cannot be read.
        FeatureMismatchError: it names no column of numbers or texts, or no element of it.
    """
    positions = dataset.positions(np.arange(len(dataset)))
    starts, stops = dataset.episode_bounds

    def column(key: str) -> NDArray[Any]:
        if dataset.features[key]["dtype"] == STRING:
            return np.array(dataset.reader.objects.rows(key, positions), object)
        return dataset.reader.numbers.fetch({key: positions})[key]

    def tasks() -> NDArray[Any]:
        texts: NDArray[Any] = np.array(dataset.meta.tasks.names, object)[column("task_index")]
        return texts

    recording = _Recording(dataset.repo_id, dataset.features, stops - starts, column, tasks)
    met = np.ones(len(dataset), np.bool_)
    for text in conditions:
        condition = _parse(text)
        for start, stop, values in zip(starts, stops, _values(recording, condition), strict=True):
            met[start:stop] &= _frames_met(condition, values)
    return met


def _parse(text: str) -> _Condition:
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise DatasetError(
            f"{text!r} is not a condition", expected='such as "outcome == failure" or "last(next.reward) < 0.5"'
        )
    over, name, element, sign, value = match.group("over", "name", "element", "operator", "value")
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    value = value[1:-1] if quoted else value
    return _Condition(text, over, name.strip(), element, _OPERATORS[sign], sign in ("==", "!="), value)


def _values(recording: _Recording, condition: _Condition) -> Iterator[NDArray[Any]]:
    """What a condition is about, of each episode the value of every frame."""
    name, lengths = condition.name, recording.lengths
    if name not in recording.features and name == _LENGTH:
        return (np.array([length]) for length in lengths.tolist())
    known = name not in recording.features and name == _TASK
    values = recording.tasks() if known else _column(recording, condition)
    return iter(np.split(values, np.cumsum(lengths)[:-1]))


def _column(recording: _Recording, condition: _Condition) -> NDArray[Any]:
    feature = recording.features.get(condition.name)
    if feature is None or feature["dtype"] not in NUMERIC_DTYPES | {STRING} or len(feature["shape"]) != 1:
        known = [key for key, f in recording.features.items() if f["dtype"] in NUMERIC_DTYPES | {STRING}]
        raise FeatureMismatchError(
            f"{recording.label} has no column {condition.name!r} of numbers or texts",
            keys=[condition.name],
            expected=", ".join([_LENGTH, _TASK, *known]),
        )
    place = _place(condition, element_names(feature))
    values = recording.column(condition.name)
    return values if place is None or values.ndim == 1 else values[:, place]


def _column_of_files(source: EditSource, key: str) -> NDArray[Any]:
    feature = source.info.features[key]
    shape = () if feature["shape"] == (1,) else feature["shape"]
    parts: list[NDArray[Any]] = []
    for file in source.files:
        column = source.read(file, [key]).column(key)
        if feature["dtype"] == STRING:
            parts.append(np.array(column.to_pylist(), object))
        else:
            parts.append(column_to_numpy(column, shape, f"{file.path}: column {key}"))
    return np.concatenate(parts)


def _place(condition: _Condition, names: list[str]) -> int | None:
    if condition.element is None and len(names) == 1:
        return None
    if condition.element in names:
        return names.index(condition.element)
    numbers = [str(number) for number in range(len(names))]
    if condition.element not in numbers:
        raise FeatureMismatchError(
            f"{condition.text!r} is about {condition.name}, which has {len(names)} elements",
            keys=[condition.name],
            expected=f"one of them, such as {condition.name}[{names[0]}]",
        )
    return numbers.index(condition.element) if len(names) > 1 else None


def _is_met(condition: _Condition, values: NDArray[Any], episode: int) -> bool:
    wanted = _as_values(condition, values.dtype)
    if condition.over in ("any", "all"):
        found = np.asarray(condition.compare(values, wanted), np.bool_)
        return bool(found.any() if condition.over == "any" else found.all())
    if condition.over is None and len(values) and (values != values[0]).any():
        raise DatasetError(
            f"{condition.name} is not the same in all frames of episode {episode}",
            expected=f"what of them is meant, such as last({condition.name}) or any({condition.name})",
        )
    value = _OVER[condition.over or "first"](values)
    return bool(condition.compare(value, wanted))


def _frames_met(condition: _Condition, values: NDArray[Any]) -> Any:
    """Whether each frame of an episode meets a condition, or the episode as a whole."""
    if condition.over is not None:
        return _is_met(condition, values, 0)
    return np.asarray(condition.compare(values, _as_values(condition, values.dtype)), np.bool_)


def _as_values(condition: _Condition, dtype: np.dtype[Any]) -> Any:
    """The value to compare with, in the type of the column."""
    if dtype.kind == "O":
        if not condition.is_equality or condition.over in ("min", "max", "mean"):
            raise DatasetError(f"{condition.text!r}: texts have no order", expected="== or !=")
        return condition.value
    truth = {"true": True, "false": False}.get(condition.value.lower())
    try:
        return truth if truth is not None else float(condition.value)
    except ValueError as error:
        raise DatasetError(f"{condition.text!r} compares numbers with {condition.value!r}") from error
