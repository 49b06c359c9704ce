"""Pipelines between a robot and what commands it, in the form the control loop calls them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from lerobot.core.processors.converters import (
    observation_to_transition,
    robot_action_observation_to_transition,
    transition_to_observation,
    transition_to_robot_action,
)
from lerobot.core.processors.pipeline import RobotProcessorPipeline
from lerobot.core.processors.transition import EnvTransition
from lerobot.core.protocols.processor import ProcessorStep
from lerobot.core.types import Action, Observation

ActionPipeline: TypeAlias = RobotProcessorPipeline[tuple[Action | None, Observation | None], Action]
ObservationPipeline: TypeAlias = RobotProcessorPipeline[Observation, Observation]


def robot_action_pipeline(steps: Sequence[ProcessorStep] = (), name: str = "robot_action_processor") -> ActionPipeline:
    """Make a pipeline that takes `(action, observation)` and gives the action for the robot."""
    return RobotProcessorPipeline(
        steps, name, to_transition=robot_action_observation_to_transition, to_output=transition_to_robot_action
    )


def robot_observation_pipeline(
    steps: Sequence[ProcessorStep] = (), name: str = "robot_observation_processor"
) -> ObservationPipeline:
    """Make a pipeline that takes and gives an observation; time stamps are kept."""
    return RobotProcessorPipeline(steps, name, to_transition=observation_to_transition, to_output=_observation)


def _observation(transition: EnvTransition) -> Observation:
    observation = transition_to_observation(transition)
    return observation if isinstance(observation, Observation) else Observation(observation)


def action_processor(pipeline: ActionPipeline) -> Callable[[Action, Observation], Action]:
    """Make the function of two arguments the control loop calls."""

    def process(action: Action, observation: Observation) -> Action:
        return pipeline((action, observation))

    return process
