"""Between transitions and what stands outside a pipeline: dataset batches, robot actions, observations.

Key rules are the peer's: a batch keeps `observation.*`, `action`, `next.reward`, `next.done`, `next.truncated`,
`info`, every key containing `_is_pad` and the keys in `COMPLEMENTARY_KEYS`; all others are dropped.
"""

from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.arrays import is_array
from lerobot.core.processors.transition import EnvTransition, TransitionKey, create_transition

OBSERVATION_PREFIX = "observation."
ACTION = "action"
REWARD = "next.reward"
DONE = "next.done"
TRUNCATED = "next.truncated"
INFO = "info"

COMPLEMENTARY_KEYS = (
    "task",
    "index",
    "task_index",
    "episode_index",
    "timestamp",
    "language_persistent",
    "language_events",
    "messages",
    "message_streams",
    "target_message_indices",
    "query_kind",
    "query_text",
    # Ours: whether a row succeeded, and what training computes of rewards.
    "next.success",
    "return_to_go",
)


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FeatureMismatchError(f"the {what} is a {type(value).__name__}", expected="a dict")
    return value


def _policy_action(value: Any) -> Any:
    if not is_array(value):
        raise FeatureMismatchError(
            f"the policy action is a {type(value).__name__}", keys=[ACTION], expected="an array or tensor"
        )
    return value


def batch_to_transition(batch: dict[str, Any]) -> EnvTransition:
    """Sort the flat keys of a dataset batch into a transition.

    Args:
        batch: as a dataset or data loader gives it.

    Returns:
        A complete transition; `observation` is None if the batch holds no `observation.*` key.

    Raises:
        FeatureMismatchError: not a dict, or `action` is not an array.
    """
    batch = _mapping(batch, "batch")
    action = batch.get(ACTION)
    padding = {key: value for key, value in batch.items() if "_is_pad" in key}
    return create_transition(
        observation={key: value for key, value in batch.items() if key.startswith(OBSERVATION_PREFIX)} or None,
        action=None if action is None else _policy_action(action),
        reward=batch.get(REWARD, 0.0),
        done=batch.get(DONE, False),
        truncated=batch.get(TRUNCATED, False),
        info=batch.get(INFO),
        complementary_data=padding | {key: batch[key] for key in COMPLEMENTARY_KEYS if key in batch},
    )


def transition_to_batch(transition: EnvTransition) -> dict[str, Any]:
    """Flatten a transition into a dataset batch.

    Returns:
        `action`, `next.reward`, `next.done`, `next.truncated` and `info` always; the complementary data and the
        observation if there are any.

    Raises:
        FeatureMismatchError: not a dict.
    """
    transition = _mapping(transition, "transition")
    return {
        ACTION: transition.get(TransitionKey.ACTION),
        REWARD: transition.get(TransitionKey.REWARD, 0.0),
        DONE: transition.get(TransitionKey.DONE, False),
        TRUNCATED: transition.get(TransitionKey.TRUNCATED, False),
        INFO: transition.get(TransitionKey.INFO, {}),
        **(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}),
        **(transition.get(TransitionKey.OBSERVATION) or {}),
    }


def robot_action_observation_to_transition(
    action_observation: tuple[dict[str, Any] | None, dict[str, Any] | None],
) -> EnvTransition:
    """Take a robot action and the observation it answers to.

    Raises:
        FeatureMismatchError: not a tuple of two dicts; either may be None.
    """
    if not isinstance(action_observation, tuple) or len(action_observation) != 2:
        raise FeatureMismatchError(
            f"the input is a {type(action_observation).__name__}", expected="a tuple (action, observation)"
        )
    action, observation = action_observation
    return create_transition(
        action=None if action is None else _mapping(action, "robot action"),
        observation=None if observation is None else _mapping(observation, "observation"),
    )


def robot_action_to_transition(action: dict[str, Any]) -> EnvTransition:
    """Take a robot action, a dict."""
    return create_transition(action=_mapping(action, "robot action"))


def observation_to_transition(observation: dict[str, Any]) -> EnvTransition:
    """Take an observation, a dict."""
    return create_transition(observation=_mapping(observation, "observation"))


def policy_action_to_transition(action: Any) -> EnvTransition:
    """Take a policy action, an array of any framework."""
    return create_transition(action=_policy_action(action))


def transition_to_robot_action(transition: EnvTransition) -> dict[str, Any]:
    """Give the robot action, a dict."""
    return _mapping(_mapping(transition, "transition").get(TransitionKey.ACTION), "robot action")


def transition_to_observation(transition: EnvTransition) -> dict[str, Any]:
    """Give the observation, a dict."""
    return _mapping(_mapping(transition, "transition").get(TransitionKey.OBSERVATION), "observation")


def transition_to_policy_action(transition: EnvTransition) -> Any:
    """Give the policy action, an array of any framework."""
    return _policy_action(_mapping(transition, "transition").get(TransitionKey.ACTION))


def identity_transition(transition: EnvTransition) -> EnvTransition:
    """Give the transition itself."""
    return transition
