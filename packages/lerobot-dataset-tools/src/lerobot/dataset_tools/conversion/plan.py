"""Which fields of a source become which features of the dataset, and how."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import FeatureMismatchError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.source import TASK, TEXT, SourceField
from lerobot.datasets.format.features import IMAGE, NUMERIC_DTYPES, STRING, VIDEO, Feature, FeatureMap

FloatType = Literal["float32", "source"]
"""What numbers with a fraction are stored as: float32, which policies compute in, or as the source has them."""

_BOOL_FEATURES = frozenset({targets.DONE, "next.success", "next.truncated"})

Convert = Callable[[Sequence[Any]], Any]
"""From the values of a feature's fields to its value."""


@dataclass(frozen=True, slots=True)
class _Column:
    fields: tuple[SourceField, ...]
    feature: Feature
    convert: Convert


class ImportPlan:
    """The features of the dataset and how a frame of the source becomes one of the dataset.

    Fields that go to one feature are joined to a vector: those named in `overrides` first, in that order, then the
    others in the order of the source.

    Args:
        fields: what the source's frames hold.
        overrides: per field the feature it becomes, or None to leave it out; `"task"` for the instruction.
        video: store images as video, else as single images.
        float_type: see `FloatType`.

    Attributes:
        features: declarations of the dataset's features.
        fields: names of the source's fields that are used.
        left_out: names of those that are not.
        task_field: name of the field with the instruction, if there is one.

    Raises:
        FeatureMismatchError: a field does not exist, cannot be stored, or does not fit others of its feature.
    """

    def __init__(
        self,
        fields: Sequence[SourceField],
        overrides: Mapping[str, str | None] | None = None,
        *,
        video: bool = True,
        float_type: FloatType = "float32",
    ) -> None:
        chosen = _chosen(fields, overrides or {})
        instructions = [field for field in chosen.pop(TASK, []) if _check_text(field)]
        if len(instructions) > 1:
            raise _mismatch(instructions[1], f"and {instructions[0].name} are both the task", "one of them")
        self.task_field = instructions[0].name if instructions else None
        self._columns = {feature: _column(feature, given, video, float_type) for feature, given in chosen.items()}
        self.features: FeatureMap = {feature: column.feature for feature, column in self._columns.items()}
        used = [field.name for column in self._columns.values() for field in column.fields]
        self.fields = frozenset([*used, *([self.task_field] if self.task_field else [])])
        self.left_out = [field.name for field in fields if field.name not in self.fields]

    def fields_of(self, features: Sequence[str]) -> frozenset[str]:
        """Fields that some of the features are made of."""
        return frozenset(field.name for feature in features for field in self._columns[feature].fields)

    def frame(self, values: Mapping[str, Any], features: Sequence[str] | None = None) -> dict[str, Any]:
        """A frame of the dataset.

        Args:
            values: per field of the source its value; at least those of the features.
            features: which features; all if None.

        Raises:
            FeatureMismatchError: a value has another shape than the source said.
        """
        columns = self._columns if features is None else {key: self._columns[key] for key in features}
        return {
            key: column.convert([_value(field, values) for field in column.fields]) for key, column in columns.items()
        }


def _chosen(fields: Sequence[SourceField], overrides: Mapping[str, str | None]) -> dict[str, list[SourceField]]:
    """Fields by the feature they become."""
    known = {field.name: field for field in fields}
    # Trees are often written from their root on; names of fields are not.
    overrides = {name.lstrip("/"): target for name, target in overrides.items()}
    for name in overrides:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise FeatureMismatchError(
                f"the source has no field {name!r}",
                keys=[name],
                expected=f"one of {', '.join(known)}",
                hint=f"Did you mean {near[0]!r}?" if near else "",
            )
    order = [*(known[name] for name in overrides), *(field for field in fields if field.name not in overrides)]
    chosen: dict[str, list[SourceField]] = {}
    for field in order:
        if target := overrides.get(field.name, field.target):
            chosen.setdefault(target, []).append(field)
    if not chosen.keys() - {TASK}:
        raise _nothing_chosen(fields)
    return chosen


def _nothing_chosen(fields: Sequence[SourceField]) -> FeatureMismatchError:
    """Show what there is, and what it may be."""
    tree = [f"  {field.name}  {field.dtype} {field.shape if field.shape else ''}".rstrip() for field in fields]
    proposal = {field.name: targets.proposed_target(field.name, field.dtype, field.shape) for field in fields}
    pairs = ", ".join(f"'{name}': {target}" for name, target in proposal.items() if target)
    return FeatureMismatchError(
        "\n".join(["no field of the source becomes a feature; each frame holds", *(tree or ["  nothing"])]),
        expected="--map, which says what each field is",
        hint=f'It may be: --map="{{{pairs}}}"' if pairs else "",
    )


def _column(feature: str, fields: list[SourceField], video: bool, float_type: FloatType) -> _Column:
    for field in fields:
        if field.dtype != TEXT and field.dtype not in NUMERIC_DTYPES:
            hint = f"leave it out: --map.{field.name}=null"
            raise _mismatch(field, f"holds {field.dtype} values, which cannot be imported", "numbers or texts", hint)
    camera = feature.startswith(targets.IMAGES)
    if len(fields) > 1 and (camera or any(field.dtype == TEXT for field in fields)):
        raise _mismatch(fields[1], f"and {fields[0].name} both become {feature}", "names of their own: --map")
    if camera:
        return _camera(fields[0], video)
    if fields[0].dtype == TEXT:
        return _Column(tuple(fields), {"dtype": STRING, "shape": (1,), "names": None}, lambda values: values[0])
    return _numbers(feature, fields, float_type)


def _numbers(feature: str, fields: list[SourceField], float_type: FloatType) -> _Column:
    dtype = np.result_type(*(np.dtype(field.dtype) for field in fields))
    if feature in _BOOL_FEATURES:
        dtype = np.dtype(np.bool_)
    elif dtype.kind == "f" and dtype.itemsize > 4 and float_type == "float32":
        dtype = np.dtype(np.float32)
    shape = fields[0].shape or (1,)
    names: list[str] | None = None
    if len(fields) > 1 or feature in targets.VECTORS or len(shape) == 1:
        names = _names(fields)
        shape = (len(names),)

    def convert(values: Sequence[Any]) -> npt.NDArray[Any]:
        joined = values[0] if len(values) == 1 else np.concatenate([np.ravel(value) for value in values])
        # Numbers too large for the type become infinite, which the writer refuses by name.
        with np.errstate(over="ignore"):
            return np.reshape(joined, shape).astype(dtype)

    return _Column(tuple(fields), {"dtype": dtype.name, "shape": shape, "names": names}, convert)


def _names(fields: Sequence[SourceField]) -> list[str]:
    """Name of each element: `eef_pos_0`, `eef_pos_1`, ..., or the field's own for a single number."""
    short = [field.name.rpartition("/")[2] for field in fields]
    unique = len(set(short)) == len(short)
    names: list[str] = []
    for field, name in zip(fields, short, strict=True):
        stem = name if unique else field.name
        size = int(np.prod(field.shape, dtype=np.int64))
        counted = [stem] if size == 1 else [f"{stem}_{i}" for i in range(size)]
        names += field.names or counted
    return names


def _camera(field: SourceField, video: bool) -> _Column:
    given = field.shape if len(field.shape) == 3 else (*field.shape, 1)
    is_first = len(given) == 3 and given[2] not in targets.COLOUR_CHANNELS
    shape = (given[1], given[2], given[0]) if is_first else given
    depth = field.dtype in ("uint16", "float32", "float64") and shape[-1] == 1
    colour = field.dtype in ("uint8", "float32", "float64") and shape[-1] in targets.COLOUR_CHANNELS
    if len(shape) != 3 or not (depth or colour):
        raise _mismatch(
            field,
            f"holds {field.dtype} values of shape {field.shape}, which are no images",
            "(height, width, channels) with 3 channels (colour) or 1 (grey, depth)",
        )
    # One channel means depth in this format, so grey images become colour ones.
    grey = shape[2] == 1 and not depth
    feature: Feature = {
        "dtype": VIDEO if video else IMAGE,
        "shape": (*shape[:2], 3 if grey else shape[2]),
        "names": ["height", "width", "channels"],
        "info": {"is_depth_map": depth},
    }

    def convert(values: Sequence[Any]) -> npt.NDArray[Any]:
        image: npt.NDArray[Any] = np.asarray(values[0]).reshape(given)
        image = image.transpose(1, 2, 0) if is_first else image
        return np.repeat(image, 3, axis=2) if grey else image

    return _Column((field,), feature, convert)


def _value(field: SourceField, values: Mapping[str, Any]) -> Any:
    value = values[field.name]
    if field.dtype != TEXT and np.shape(value) != field.shape:
        raise _mismatch(field, f"has shape {np.shape(value)}", str(field.shape))
    return value


def _check_text(field: SourceField) -> bool:
    if field.dtype != TEXT:
        raise _mismatch(field, f"holds {field.dtype} values, so it cannot be the task", "a text")
    return True


def _mismatch(field: SourceField, what: str, expected: str, hint: str = "") -> FeatureMismatchError:
    return FeatureMismatchError(f"field {field.name!r} {what}", keys=[field.name], expected=expected, hint=hint)
