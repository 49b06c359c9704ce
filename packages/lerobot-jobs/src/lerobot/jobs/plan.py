"""A large job as a file: which worker does what to which shards.

A plan holds nothing but JSON and the name of a worker, so that any engine can run it and whoever reads it sees what it
does. The name of a shard is derived from everything that decides its result; so is the name of the plan.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from lerobot.core.errors import JobError
from lerobot.core.json_file import read_json
from lerobot.core.words import numbers_of

PLAN_FILE = "plan.json"
WorkerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Registered name of a worker; never a place in a module, which a plan from elsewhere could choose freely."""


def digest(value: object) -> str:
    """Name of a JSON value by its content: 16 hexadecimal digits.

    Raises:
        ValueError: it is not JSON, such as a number that is not finite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Shard(BaseModel):
    """One piece of a job.

    Attributes:
        name: by content, see `digest`: of the worker, the settings and the row.
        row: what the worker is given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    row: dict[str, JsonValue]


class Plan(BaseModel):
    """A job: shards that can be done in any order, on any machine, each again and again.

    Attributes:
        version: of this form.
        worker: registered name of the function that does a shard; see `lerobot.jobs.worker`.
        settings: what all shards have in common.
        shards: the pieces.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: Literal[1] = 1
    worker: WorkerName
    settings: dict[str, JsonValue]
    shards: list[Shard]

    @classmethod
    def of(cls, worker: str, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Self:
        """A plan of rows, which get their names.

        Args:
            worker: registered name.
            settings: JSON.
            rows: JSON, one per shard.

        Raises:
            JobError: something is not JSON, or two rows are equal.
        """
        try:
            shards = [{"name": digest([worker, settings, row]), "row": row} for row in rows]
            plan = {"worker": worker, "settings": settings, "shards": shards}
            return cls.model_validate(json.loads(json.dumps(plan, allow_nan=False)))
        except (TypeError, ValueError) as error:
            raise JobError(f"the plan of worker {worker!r} cannot be written: {_first(error)}") from error

    @model_validator(mode="after")
    def _names_are_those_of_the_content(self) -> Self:
        for index, shard in enumerate(self.shards):
            if shard.name != digest([self.worker, self.settings, shard.row]):
                raise ValueError(f"shard {index} is named {shard.name}, which is not the name of its content")
        if len({shard.name for shard in self.shards}) < len(self.shards):
            raise ValueError("two shards are equal")
        return self

    @cached_property
    def name(self) -> str:
        """Name of the whole by its content."""
        return digest([self.worker, self.settings, [shard.name for shard in self.shards]])

    def shard(self, index: int) -> Shard:
        """One of the shards.

        Raises:
            JobError: there is none of this number.
        """
        if not 0 <= index < len(self.shards):
            raise JobError(f"the plan has no shard {index}", expected=numbers_of(len(self.shards)))
        return self.shards[index]

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=False)


def load_plan(path: Path) -> Plan:
    """Read a plan and check all of it.

    Raises:
        JobError: the file is missing, or is no plan; says where.
    """
    try:
        return Plan.model_validate(read_json(path))
    except OSError as error:
        raise JobError(f"{path} cannot be read: {error.strerror or error}", expected="the plan of a job") from error
    except ValueError as error:
        raise JobError(
            f"{path} is no plan: {_first(error)}", hint="plans are written by commands, not by hand"
        ) from error


def _first(error: Exception) -> str:
    """The first of the problems, on one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
