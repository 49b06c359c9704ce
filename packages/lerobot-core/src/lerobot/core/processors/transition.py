"""What flows through a pipeline: one dict per instant, with seven known entries."""

from enum import StrEnum
from typing import Any, TypeAlias

from lerobot.core.types import Observation


class TransitionKey(StrEnum):
    """Entries of a transition; the plain strings are accepted wherever these are."""

    OBSERVATION = "observation"
    ACTION = "action"
    REWARD = "reward"
    DONE = "done"
    TRUNCATED = "truncated"
    INFO = "info"
    COMPLEMENTARY_DATA = "complementary_data"


EnvTransition: TypeAlias = dict[str, Any]
"""Mapping from `TransitionKey` to its value."""


def create_transition(
    observation: dict[str, Any] | None = None,
    action: Any = None,
    reward: Any = 0.0,
    done: Any = False,
    truncated: Any = False,
    info: dict[str, Any] | None = None,
    complementary_data: dict[str, Any] | None = None,
) -> EnvTransition:
    """Make a complete transition.

    Args:
        observation: what was measured, by key; None if there is none.
        action: a robot action (dict) or a policy action (array); None if there is none.
        reward: reward of the step.
        done: the episode reached its end.
        truncated: the episode was cut off.
        info: what the environment says beside that; an empty dict if None.
        complementary_data: what belongs to the sample but is none of the above (task, padding masks, indices);
            an empty dict if None.

    Returns:
        A dict with all seven keys, in the order of `TransitionKey`.
    """
    return {
        TransitionKey.OBSERVATION: observation,
        TransitionKey.ACTION: action,
        TransitionKey.REWARD: reward,
        TransitionKey.DONE: done,
        TransitionKey.TRUNCATED: truncated,
        TransitionKey.INFO: {} if info is None else info,
        TransitionKey.COMPLEMENTARY_DATA: {} if complementary_data is None else complementary_data,
    }


def copied(value: Any) -> Any:
    """Copy a dict one level deep, an `Observation` with its time stamps; hand anything else on as it is."""
    if isinstance(value, Observation):
        return Observation(value, value.stamps)
    return dict(value) if isinstance(value, dict) else value


def copied_transition(transition: EnvTransition) -> EnvTransition:
    """Copy a transition and the dicts in it; arrays are shared, because no step writes into one."""
    return {key: copied(value) for key, value in transition.items()}


def with_keys(observation: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    """Make a dict of the same kind with other keys.

    Args:
        observation: a plain dict, or an `Observation` whose time stamps follow their values.
        sources: for each new key, in the new order, the key it takes its value from.
    """
    values = {new: observation[old] for new, old in sources.items()}
    if isinstance(observation, Observation):
        stamps = observation.stamps
        return Observation(values, {new: stamps[old] for new, old in sources.items() if old in stamps})
    return values
