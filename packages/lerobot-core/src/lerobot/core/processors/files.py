"""The files of a saved pipeline: where they come from, and what the JSON says."""

import json
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.core.paths import user_path

Resolver: TypeAlias = Callable[[str, str], Path]
"""Fetches from the Hub: (repository id, relative path of a file or folder) -> local path; FileNotFoundError if none."""


class ProcessorMigrationError(CheckpointError):
    """A model folder from before pipelines were saved: its statistics are inside the weights."""


class StepEntry(BaseModel):
    """One step in the JSON; either `registry_name` or `class`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    registry_name: str = ""
    class_path: str = Field(default="", alias="class")
    config: dict[str, Any] = {}
    artifacts: dict[str, str] = {}
    state_file: str | None = None

    @model_validator(mode="after")
    def _is_named_once(self) -> "StepEntry":
        if bool(self.registry_name) == bool(self.class_path):
            raise ValueError("either 'registry_name' or 'class'")
        return self


class PipelineFile(BaseModel):
    """The JSON of a pipeline; keys beside these are ignored, as the peer ignores them."""

    name: str = "DataProcessorPipeline"
    steps: list[StepEntry]


def sanitised(name: str) -> str:
    """File-name form of a pipeline's name: lower case, everything but letters, digits and `_` replaced by `_`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name.lower())


def parse(data: Any, source: str) -> PipelineFile:
    """Check the decoded JSON of a pipeline.

    Args:
        data: the decoded JSON.
        source: where it comes from, for messages.

    Raises:
        CheckpointError: it is no pipeline; one line per problem.
    """
    try:
        return PipelineFile.model_validate(data)
    except ValidationError as error:
        problems = [
            f"{source}: {'.'.join(map(str, detail['loc']))}: {detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors()
        ]
        raise CheckpointError(
            "\n".join(problems), expected="a processor pipeline: {'name': ..., 'steps': [...]}"
        ) from error


class PipelineSource:
    """Where a pipeline is loaded from: a folder, one JSON file, or a Hub repository.

    Args:
        path_or_repo: existing local path, or repository id.
        config_filename: name of the JSON; may be None if `path_or_repo` is the JSON itself.
        resolve: how to fetch from the Hub; None if only local paths are allowed.

    Raises:
        CheckpointError: there is no such place.
    """

    def __init__(self, path_or_repo: str | Path, config_filename: str | None, resolve: Resolver | None) -> None:
        path = user_path(path_or_repo)
        self._repo, self._folder, self._resolve = "", path, resolve
        self.filename = config_filename or ""
        if path.is_file():
            self._folder, self.filename = path.parent, path.name
        elif not path.is_dir():
            if resolve is None:
                raise CheckpointError(f"{path} does not exist", expected="a folder or a JSON file of a saved pipeline")
            self._repo = str(path_or_repo)
        if not self.filename:
            raise CheckpointError(
                f"which pipeline of {path_or_repo} is meant?",
                expected="config_filename, such as 'policy_preprocessor.json'",
            )

    def __str__(self) -> str:
        """The JSON's place, for messages."""
        return f"{self._repo}/{self.filename}" if self._repo else str(self._folder / self.filename)

    def locate(self, relative: str) -> Path:
        """Find a file or folder beside the JSON.

        Args:
            relative: path below the JSON's folder.

        Raises:
            CheckpointError: the path leads out of the folder, or there is nothing there.
        """
        check_inside(relative, str(self))
        if not self._repo:
            return self._folder / relative
        assert self._resolve is not None  # noqa: S101 - a repository is only accepted together with a resolver
        try:
            return self._resolve(self._repo, relative)
        except FileNotFoundError as error:
            raise CheckpointError(f"{self._repo} has no {relative}") from error

    def read(self) -> PipelineFile:
        """Read the JSON.

        Raises:
            ProcessorMigrationError: the folder holds a model from before pipelines were saved.
            CheckpointError: the JSON is missing, damaged or describes no pipeline.
        """
        path = self.locate(self.filename)
        if not path.is_file():
            raise self._missing()
        try:
            data = read_json(path)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{self} is not valid JSON: {error}") from error
        return parse(data, str(self))

    def _missing(self) -> CheckpointError:
        beside = sorted(file.name for file in self._folder.glob("*.json"))
        if "config.json" in beside and not any("processor" in name for name in beside):
            return ProcessorMigrationError(
                f"{self._folder} holds a model but no {self.filename}: it was saved before processors had files",
                hint="Convert it with the peer: python src/lerobot/processor/migrate_policy_normalization.py "
                f"--pretrained-path {self._folder}",
            )
        return CheckpointError(
            f"{self} does not exist", expected=f"one of {', '.join(beside)}" if beside else "a saved pipeline"
        )


def check_inside(relative: str, source: str) -> None:
    """Refuse a path that is absolute or climbs with `..`.

    Raises:
        CheckpointError: it does.
    """
    path = PurePosixPath(relative.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise CheckpointError(
            f"{source} refers to {relative!r}, outside its folder", expected="a relative path without '..'"
        )
