"""Pipelines by the functions that programs for huggingface/lerobot make them with."""

from collections.abc import Mapping, Sequence
from typing import Any

from lerobot.core.processors.robot import (
    ActionPipeline,
    ObservationPipeline,
    robot_action_pipeline,
    robot_observation_pipeline,
)


def make_default_teleop_action_processor() -> ActionPipeline:
    """A pipeline without steps, from a teleoperator's action to that of the dataset."""
    return robot_action_pipeline(name="teleop_action_processor")


def make_default_robot_action_processor() -> ActionPipeline:
    """A pipeline without steps, from the dataset's action to the robot's."""
    return robot_action_pipeline()


def make_default_robot_observation_processor() -> ObservationPipeline:
    """A pipeline without steps, from the robot's observation to the dataset's."""
    return robot_observation_pipeline()


def make_default_processors() -> tuple[ActionPipeline, ActionPipeline, ObservationPipeline]:
    """The three: of the teleoperator's action, of the robot's action, of the robot's observation."""
    return (
        make_default_teleop_action_processor(),
        make_default_robot_action_processor(),
        make_default_robot_observation_processor(),
    )


def make_default_pre_post_processors(config: Any, dataset_stats: Mapping[str, Any] | None = None) -> Any:
    """The pipelines that most policies have around them; see `default_processors`.

    Args:
        config: of the policy, features included.
        dataset_stats: statistics of the dataset.
    """
    from lerobot.policies.processing.pipelines import default_processors

    return default_processors(config, dataset_stats)


def make_policy_processor_pipelines(input_steps: Sequence[Any], output_steps: Sequence[Any]) -> Any:
    """The pipelines of a policy, of steps before and behind it."""
    from lerobot.policies.processing.pipelines import joined

    return joined(list(input_steps), list(output_steps))


def rename_stats(stats: Mapping[str, Any], rename_map: Mapping[str, str]) -> dict[str, Any]:
    """Statistics under new keys.

    Args:
        stats: by key.
        rename_map: new keys by old ones.
    """
    return {rename_map.get(key, key): value for key, value in stats.items()}
