"""The vocabulary of data: features, observations, actions and when they were measured.

Legend of shapes, used in every docstring of the ecosystem: `B` batch, `To` observation steps, `T` prediction
horizon, `Ta` executed steps, `Da` action dimension, `Ds` state dimension, `H W C` an image as cameras give it,
`C H W` an image as networks take it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from lerobot.core.errors import FeatureMismatchError


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What one entry of an observation or action is.

    Attributes:
        dtype: numpy dtype name (`"float32"`, `"uint8"`, `"uint16"`, `"bool"`) or `"string"`.
        shape: `()` for a scalar, `(H, W, C)` for a picture.
        names: one name per element of a vector, or per axis of a picture.
        unit: `"deg"`, `"rad"`, `"m"`, `"percent"` (0 to 100), `"m100"` (-100 to 100), `"m/s"`,
            `"1/step"` (a share of the way one command can make), ...; None if unitless.
        range: smallest and largest value that is valid, in `unit`; None if unbounded or unknown.
        max_velocity: largest rate of change the device allows, in `unit` per second: of a position its velocity, of a
            command that is a velocity its acceleration; None if unknown.
    """

    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    names: tuple[str, ...] | None = None
    unit: str | None = None
    range: tuple[float, float] | None = None
    max_velocity: float | None = None

    def __post_init__(self) -> None:
        """Refuse a range that is empty or reversed, and a velocity that limits nothing."""
        if self.range is not None and not self.range[0] <= self.range[1]:
            raise FeatureMismatchError(f"feature range {self.range} is empty", expected="(low, high) with low <= high")
        if self.max_velocity is not None and not 0 < self.max_velocity < math.inf:
            raise FeatureMismatchError(
                f"feature max_velocity {self.max_velocity} is no limit", expected="a positive number; None if unknown"
            )

    @property
    def is_image(self) -> bool:
        """Whether this is a picture `(H, W, C)`: colour (C = 3, uint8) or depth (C = 1, uint16 millimetres)."""
        return len(self.shape) == 3

    @property
    def is_scalar(self) -> bool:
        """Whether this is a single number."""
        return self.shape == ()


Features: TypeAlias = Mapping[str, FeatureSpec]
"""Ordered mapping from key to what that key holds."""

Action: TypeAlias = dict[str, Any]
"""Command for a robot, keyed like `action_features`; joint targets are floats in the feature's unit."""


def as_features(declared: Mapping[str, Any]) -> dict[str, FeatureSpec]:
    """Normalise a feature declaration, also in the short form plugin authors know.

    Args:
        declared: per key a `FeatureSpec`, a type (`float`, `int`, `bool`, `str`) or an image shape `(H, W, C)`.

    Returns:
        The same keys in the same order with full specifications.

    Raises:
        FeatureMismatchError: a value is none of these; names the key.
    """
    scalar = {float: "float32", int: "int64", bool: "bool", str: "string"}
    features: dict[str, FeatureSpec] = {}
    for key, value in declared.items():
        if isinstance(value, FeatureSpec):
            features[key] = value
        elif isinstance(value, type) and value in scalar:
            features[key] = FeatureSpec(dtype=scalar[value])
        elif isinstance(value, tuple) and len(value) == 3:
            dtype = "uint16" if value[-1] == 1 else "uint8"
            features[key] = FeatureSpec(dtype=dtype, shape=value, names=("height", "width", "channels"))
        else:
            raise FeatureMismatchError(
                f"feature {key!r} is declared as {value!r}",
                keys=[key],
                expected="a FeatureSpec, one of float, int, bool, str, or an image shape (height, width, channels)",
            )
    return features


@dataclass(frozen=True, slots=True)
class Stamp:
    """When one entry of an observation was measured.

    Times of different computers cannot be compared. Whoever receives a measurement from another computer converts its
    time to this one's clock before it makes a stamp, so that every time in an observation is of one clock.

    Attributes:
        time_s: capture time on this computer's monotonic clock (`time.monotonic()`), in seconds.
        sequence: number of the frame at its source, counted from 0; None where the source does not count.
        stale: the entry is older than its source's period allows, or a repeat of the one before.
    """

    time_s: float
    sequence: int | None = None
    stale: bool = False


class Observation(dict[str, Any]):
    """What the robot measured: a plain dict keyed like `observation_features`, with a time stamp per key.

    `stamps` may lack keys; those were measured when `get_observation` returned. Every time is of this computer's clock,
    see `Stamp`.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, stamps: Mapping[str, Stamp] | None = None) -> None:
        super().__init__(values or {})
        self.stamps: dict[str, Stamp] = dict(stamps or {})


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its origin.

    Attributes:
        image: `(H, W, 3)` uint8 in the configured colour order, or `(H, W, 1)` uint16 millimetres.
        time_s: capture time on this computer's monotonic clock, in seconds; taken before decoding and
            rotation. See `Stamp`.
        sequence: number of the frame at the camera, counted from 0; gaps are frames the camera dropped.
    """

    image: Any
    time_s: float
    sequence: int


class JointTravel(NamedTuple):
    """Where a joint is while it is calibrated by hand, and where it has been, in steps of its encoder.

    Attributes:
        smallest: least position so far.
        present: position now; not wrapped, so it may leave 0 to `turn`.
        largest: greatest position so far.
        turn: steps of a whole turn, or of all that the sensor measures.
    """

    smallest: int
    present: int
    largest: int
    turn: int


@dataclass(slots=True)
class EpisodeInfo:
    """What hooks are told about an episode.

    Attributes:
        index: episode number, from 0.
        task: instruction in words; empty if there is none.
        metadata: anything else the command knows, such as the dataset's name or the outcome.
    """

    index: int
    task: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
