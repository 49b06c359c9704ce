"""A source whose fields are the features of a recipe: every other importer's frames, put together as the table says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.source import TASK, TEXT, EpisodeGroup, EpisodeSource, GroupedSource, SourceField
from lerobot.recipes import operations
from lerobot.recipes.recipe import Part, Recipe

SUCCESS = "success_in_path"
CODE_POINTS = "code_points"


class RecipeSource:
    """Episodes of a published dataset; see `GroupedSource`.

    Numbers and texts of an episode are read at once, images one after the other.

    Args:
        source: the dataset as it is stored.
        recipe: what becomes of it.
        where: name of the source, for messages.
        empty_instruction: the task of frames without an instruction.
        others: recipes by the flags that choose them, to name the one that fits.

    Raises:
        DatasetError: the source is not this dataset: says which fields it lacks.
    """

    def __init__(
        self,
        source: EpisodeSource,
        recipe: Recipe,
        where: str,
        *,
        empty_instruction: str = "",
        others: Mapping[str, Recipe] | None = None,
    ) -> None:
        self._source = source
        self._stored = {field.name: field for field in source.fields}
        _check(recipe, self._stored, where, others or {})
        self._recipe = recipe
        self._empty = empty_instruction
        self.episodes: Sequence[str] = source.episodes
        self.fps: float | None = recipe.fps
        self.task: str | None = source.task
        self.groups: Sequence[EpisodeGroup] = (
            source.groups
            if isinstance(source, GroupedSource)
            else [EpisodeGroup((where,), range(len(source.episodes)))]
        )
        self._parts = {
            feature: kept
            for feature, parts in recipe.features.items()
            if (kept := [part for part in parts if not part.field or part.field in self._stored])
        }
        self._instructions = [part for part in recipe.instructions if part.field in self._stored]
        if self._instructions:
            self._parts[TASK] = self._instructions
        self.fields: Sequence[SourceField] = [self._field(feature) for feature in self._parts]

    def frames(self, episode: int, names: Collection[str]) -> Iterator[dict[str, Any]]:
        """See `EpisodeSource.frames`."""
        images = {name: self._parts[name][0] for name in self._parts if name in names and self._is_image(name)}
        others = [name for name in self._parts if name in names and name not in images]
        stored = {part.field for name in others for part in self._parts[name] if part.field}
        rows = list(self._source.frames(episode, stored)) if stored else None
        columns = {name: self._column(name, rows or []) for name in others}
        pictures = self._source.frames(episode, {part.field for part in images.values()}) if images else repeat({})
        count = 0
        for row, given in enumerate(pictures):
            if rows is not None and row == len(rows):
                if images:
                    raise self._uneven(episode, len(rows), row + 1)
                return
            count += 1
            if row == 0 and self._recipe.skip_first_step:
                continue
            frame: dict[str, Any] = {name: _image(part, given[part.field]) for name, part in images.items()}
            yield frame | {name: column[row] for name, column in columns.items()}
        if rows is not None and count != len(rows):
            raise self._uneven(episode, len(rows), count)

    def close(self) -> None:
        """Close the files."""
        self._source.close()

    def _is_image(self, feature: str) -> bool:
        return feature.startswith(targets.IMAGES)

    def _uneven(self, episode: int, rows: int, images: int) -> DatasetError:
        return DatasetError(f"{self.episodes[episode]} has {images} images", expected=f"{rows}, as it has rows")

    def _field(self, feature: str) -> SourceField:
        """What a feature's values are, from one frame of zeros put through its operations."""
        parts = self._parts[feature]
        first = self._stored.get(parts[0].field)
        if feature == TASK:
            return SourceField(TASK, TEXT, (), TASK)
        if first is not None and (self._is_image(feature) or (first.dtype == TEXT and parts[0].operation != SUCCESS)):
            return SourceField(feature, first.dtype, first.shape, feature)
        stored = {
            part.field: "" if (field := self._stored[part.field]).dtype == TEXT else np.zeros(field.shape, field.dtype)
            for part in parts
            if part.field
        }
        value = self._column(feature, [stored])[0]
        names = tuple(name for part in parts for name in part.names)
        return SourceField(feature, value.dtype.name, value.shape, feature, names if len(names) == value.size else ())

    def _column(self, feature: str, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Values of a feature in an episode, a frame each."""
        parts = self._parts[feature]
        if feature == TASK:
            given = [operations.texts(part.operation, [row[part.field] for row in rows]) for part in parts]
            return [next(filter(None, texts), self._empty) for texts in zip(*given, strict=True)]
        if parts[0].field and self._stored[parts[0].field].dtype == TEXT:
            texts = [row[parts[0].field] for row in rows]
            return operations.succeeded(texts) if parts[0].operation == SUCCESS else texts
        columns = [_numbers(part, rows) for part in parts]
        if len(columns) == 1:
            return columns[0]
        return np.concatenate([column.reshape(len(rows), -1) for column in columns], axis=1)


def _numbers(part: Part, rows: Sequence[Mapping[str, Any]]) -> npt.NDArray[Any]:
    """Numbers of a part of a feature, a frame each."""
    if part.constant is not None:
        return np.full((len(rows), len(part.names)), part.constant, np.float32)
    values = np.stack([np.asarray(row[part.field]) for row in rows])
    if part.columns is not None:
        values = values[:, slice(*part.columns) if len(part.columns) == 2 else slice(part.columns[0], None)]
    return operations.NUMBERS[part.operation](values) if part.operation else values


def _image(part: Part, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return operations.IMAGES[part.operation](image) if part.operation else image


def _check(recipe: Recipe, stored: Collection[str], where: str, others: Mapping[str, Recipe]) -> None:
    missing = sorted(recipe.required_fields() - set(stored))
    if not missing:
        return
    fitting = [flags for flags, other in others.items() if other.required_fields() <= set(stored)]
    raise DatasetError(
        f"{where} is not {recipe.title}: it lacks {', '.join(missing)}",
        expected=f"the fields of {recipe.title}",
        hint=f"it may be {' or '.join(fitting)}"
        if fitting
        else "--from=rlds or --from=zarr imports what has no recipe",
    )
