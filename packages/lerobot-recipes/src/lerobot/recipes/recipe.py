"""What a recipe is: what one published dataset holds, what that means, and what becomes of it."""

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from lerobot.core.config.base import ConfigModel


def _part(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


def _parts(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Part(ConfigModel):
    """Where a part of a feature is from; in the table the text alone is its field."""

    field: str = ""
    """Its place in the source; empty for a constant."""
    operation: str = ""
    """What is done to it, a name of `lerobot.recipes.operations`."""
    columns: tuple[int] | tuple[int, int] | None = None
    """First of its numbers and, unless it goes to the end, the one behind the last; all if None."""
    names: tuple[str, ...] = ()
    """Of its elements."""
    constant: float | None = None
    """Value of each element where there is no field."""
    optional: bool = False
    """Whether it is left out of versions that lack the field; without it they are not this dataset."""


Parts = Annotated[tuple[Annotated[Part, BeforeValidator(_part)], ...], BeforeValidator(_parts)]
"""The parts that are joined to a feature; one needs no list."""


class Published(ConfigModel):
    """What a published copy of the dataset has instead."""

    fps: float | None = None
    skip_first_step: bool | None = None
    features: dict[str, Parts] = Field(default_factory=dict)
    """Features that differ; without parts: those it lacks."""


class Fault(ConfigModel):
    """Something that published copies of a dataset, or programs that read it, have wrong."""

    name: str
    what: str
    """What they do."""
    here: str
    """What is done by default."""
    source: str
    """Where that is known from."""
    as_published: Published = Field(default_factory=Published)


class Recipe(ConfigModel):
    """One published dataset in one layout."""

    title: str
    versions: tuple[str, ...]
    homepage: str
    licence: str
    robot_type: str
    fps: float
    """Frames, and actions, per second."""
    colour: str
    state: str
    action: str
    """What it means: absolute, difference or speed, in which frame and of what."""
    rotation: str
    gripper: str
    """What its numbers mean, in the state and in the action."""
    language: str
    notes: tuple[str, ...] = ()
    instructions: Parts = ()
    """Where the instruction may be, in words; the first that is not empty is taken."""
    compressed: dict[str, int] = Field(default_factory=dict)
    """Fields that hold compressed float32 numbers in place of a text, with how many."""
    skip_first_step: bool = False
    """Whether the first step of each episode is left out."""
    features: dict[str, Parts]
    faults: tuple[Fault, ...] = ()

    def as_published(self, faults: Collection[str]) -> "Recipe":
        """The recipe with some faults of the published copies."""
        features = dict(self.features)
        update: dict[str, Any] = {}
        for fault in self.faults:
            if fault.name in faults:
                features |= fault.as_published.features
                update |= fault.as_published.model_dump(include={"fps", "skip_first_step"}, exclude_none=True)
        return self.model_copy(update={**update, "features": {key: parts for key, parts in features.items() if parts}})

    def required_fields(self) -> frozenset[str]:
        """Fields without which a source is not this dataset."""
        parts = [part for given in self.features.values() for part in given]
        needed = {part.field for part in parts if part.field and not part.optional}
        return frozenset(needed | ({self.instructions[0].field} if len(self.instructions) == 1 else set()))


@cache
def table(name: str) -> Mapping[str, Recipe]:
    """The recipes of one file of the table: `bridge`, `droid`, `oxe` or `umi`; by dataset or layout."""
    content = (files("lerobot.recipes") / "table" / f"{name}.toml").read_text(encoding="utf-8")
    return {key: Recipe.model_validate(recipe) for key, recipe in tomllib.loads(content).items()}


TABLES = ("bridge", "droid", "oxe", "umi")
