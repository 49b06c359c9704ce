"""A policy as whoever drives with it meets it: with all that stands around it, and of no library but numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.types import FeatureSpec


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy is to act: on a robot, or in an environment.

    Attributes:
        label: what it is, for messages.
        features: what a dataset stores of it, by key, as in `info.json`: names and order of joints, and cameras.
        specs: what is said of each number, by its name; empty where nobody says anything.
        fps: actions per second; None where nobody says.
        rename_map: the policy's observation keys by those of the place.
        device: where to compute; None for where the policy was saved to.
    """

    label: str
    features: Mapping[str, Mapping[str, Any]]
    specs: Mapping[str, FeatureSpec] = field(default_factory=dict)
    fps: float | None = None
    rename_map: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedActions:
    """What a new chunk shall continue.

    Attributes:
        actions: those planned already, `(n, Da)` float32 in the robot's units, the one for the present step first.
        delay: how many of them are likely to be executed until the new ones are there.
        rtc: how it is continued.
    """

    actions: Any
    delay: int
    rtc: RTCConfig


@runtime_checkable
class ActingPolicy(Protocol):
    """A policy in its place: observations as they are measured go in, and actions in the robot's units come out.

    A frame is one observation by the keys of datasets, as `build_dataset_frame` of
    `lerobot.core.processors.dataset_features` gives it: vectors `(n,)` float32, colour images `(H, W, 3)` uint8, depth
    maps `(H, W, 1)` in millimetres; and the task in words as `task`.
    """

    name: str
    """Registered name of the policy."""

    observation_steps: int
    """How many observations a chunk is predicted from, the newest included."""

    def reset(self) -> None:
        """Forget everything about the episode so far: queues, windows, ensembling weights."""
        ...

    def seed(self, seed: int) -> None:
        """Begin its own random numbers anew; whoever draws none ignores it."""
        ...

    def select_action(self, frame: Mapping[str, Any], /) -> Any:
        """Choose the action of this step, `(Da,)` float32, in the robot's units.

        Raises:
            FeatureMismatchError: an input is missing or does not fit.
        """
        ...

    def predict_chunk(self, window: Sequence[Mapping[str, Any]], /, planned: PlannedActions | None = None) -> Any:
        """Predict the coming actions, `(T, Da)` float32, without touching what `select_action` remembers.

        Args:
            window: the last observations, the newest last: as many as `observation_steps`, or as there were so far.
            planned: what the chunk shall continue; for policies that `require_continuing` did not refuse.

        Raises:
            FeatureMismatchError: an input is missing or does not fit.
        """
        ...

    def require_continuing(self, rtc: RTCConfig, /) -> None:
        """Check that its chunks can continue one another in that way.

        Raises:
            LeRobotError: they cannot; says what else to ask for.
        """
        ...

    def copy(self) -> "ActingPolicy":
        """Another one with the same weights, and with a memory and random numbers of its own."""
        ...

    def close(self) -> None:
        """Release what it holds, such as a connection; may be called repeatedly."""
        ...
