"""A policy that others ask over a network: what whoever serves it needs of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lerobot.core.types import FeatureSpec


@dataclass(frozen=True, slots=True)
class PolicyDescription:
    """What a served policy says of itself.

    Attributes:
        name: of the policy.
        features: what it needs and gives: under `"observation"` its inputs by key, images `(H, W, C)`; under
            `"action"` the action.
        facts: everything else that both ends must agree on: `horizon`, `n_obs_steps`, `executed_steps` and `hash`.
    """

    name: str
    features: Mapping[str, Mapping[str, FeatureSpec]]
    facts: Mapping[str, Any]


class ServedPolicy(Protocol):
    """A policy that is ready to be asked, always in the same thread."""

    @property
    def description(self) -> PolicyDescription:
        """What it needs and gives."""
        ...

    def warm_up(self) -> None:
        """Answer a made-up question, so that nothing is loaded or compiled while a client waits."""
        ...

    def infer(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """Choose the coming actions.

        Args:
            observation: what the client sent; anything may stand in it. Inputs by key, and the task as `prompt`.

        Returns:
            `actions`, `(T, Da)` in the robot's units, and what else the client may want to know.

        Raises:
            LeRobotError: an input is missing or does not fit; names it.
        """
        ...

    def reset(self) -> None:
        """Forget the episode so far."""
        ...
