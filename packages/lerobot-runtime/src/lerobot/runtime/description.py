"""What `policy.json` says of an exported policy: read as data of strangers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from lerobot.core.config.policies import EXPORT
from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json

VERSIONS = (1, 2)
"""Of the format: 2 may have windows, noise and a task."""


class _Said(BaseModel):
    # Later exporters may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Port(_Said):
    name: str
    shape: tuple[int, ...]

    @field_validator("shape", mode="before")
    @classmethod
    def _without_batch(cls, shape: Any) -> Any:
        """A policy acts for one robot: whether more rows fit is left aside."""
        if not isinstance(shape, list) or not shape or shape[0] not in ("batch", 1):
            raise ValueError("a shape that begins with the batch, 'batch' or 1")
        return tuple(shape[1:])

    @field_validator("shape")
    @classmethod
    def _has_size(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if not shape or min(shape) < 1:
            raise ValueError("sizes of at least 1 behind the batch")
        return shape


class Input(_Port):
    """What the policy is given; a shape has no batch axis."""

    dtype: Literal["uint8", "float32"]
    names: tuple[str, ...] | None = None
    units: str | tuple[str | None, ...] | None = None
    steps: int | None = None
    """The last so many observations, the oldest first; None for the newest one, without an axis."""
    noise: Literal["normal", "exponential"] | None = None
    """How the random numbers are distributed that are given; None for what a robot gives."""

    @property
    def is_image(self) -> bool:
        """Whether this is `(H, W, C)`."""
        return self.noise is None and len(self.observed) == 3

    @property
    def observed(self) -> tuple[int, ...]:
        """Shape of one observation."""
        return self.shape if self.steps is None else self.shape[1:]


class Output(_Port):
    """The chunk `(T, Da)`."""

    dtype: Literal["float32"]
    names: tuple[str, ...] | None = None
    units: tuple[str | None, ...] | None = None

    @field_validator("shape")
    @classmethod
    def _is_chunk(cls, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 2:
            raise ValueError("a chunk (T, Da) behind the batch")
        return shape


class Description(_Said):
    """An exported policy."""

    format_version: int
    policy: str
    fps: float | None = None
    n_action_steps: int
    task: str | None = None
    inputs: tuple[Input, ...]
    outputs: tuple[Output]
    config: Mapping[str, Any] = {}

    @field_validator("format_version")
    @classmethod
    def _is_known(cls, version: int) -> int:
        if version not in VERSIONS:
            raise ValueError(f"a version that this release reads: {', '.join(map(str, VERSIONS))}")
        return version

    @property
    def action(self) -> Output:
        """The chunk it gives."""
        return self.outputs[0]

    @property
    def observed(self) -> tuple[Input, ...]:
        """What a robot gives."""
        return tuple(each for each in self.inputs if each.noise is None)

    @property
    def observation_steps(self) -> int:
        """How many observations a chunk is predicted from."""
        return max((each.steps or 1 for each in self.observed), default=1)

    @property
    def temporal_ensemble_coeff(self) -> float | None:
        """Coefficient with which overlapping chunks are averaged; None for an action queue."""
        coefficient = self.config.get("temporal_ensemble_coeff")
        return float(coefficient) if isinstance(coefficient, int | float) else None


def read_description(folder: Path) -> tuple[Description, dict[str, Any]]:
    """Read `policy.json`.

    Returns:
        What it says of the policy, and by name what it says of each file, such as `sha256`.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    path = folder / EXPORT
    try:
        said = read_json(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} has no {EXPORT}", expected="a folder that lerobot export wrote") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", hint="Copy the whole folder again.") from error
    files = said.get("files") if isinstance(said, dict) else None
    return parsed(said, str(path)), files if isinstance(files, dict) else {}


def parsed(said: Any, where: str) -> Description:
    """Check a description.

    Args:
        said: values from JSON.
        where: what says it, for messages.

    Raises:
        CheckpointError: it is none.
    """
    try:
        return Description.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            f"{where} is damaged: {field or 'it'} is {repr(first['input'])[:80]}",
            expected=first["msg"].removeprefix("Value error, "),
            hint="Copy the whole folder again, or export the policy again.",
        ) from error
