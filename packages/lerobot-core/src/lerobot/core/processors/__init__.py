"""Processor pipelines: named, configurable, savable steps between robots, datasets and policies.

`transition` says what flows, `step` what a step is, `pipeline` how steps are joined and saved; `steps` holds the steps
of core, `config` their configurations; `dataset_features` says what a dataset stores of a pipeline's output.
"""

from lerobot.core.deprecation import keep_moved_modules
from lerobot.core.processors.converters import (
    batch_to_transition,
    identity_transition,
    observation_to_transition,
    policy_action_to_transition,
    robot_action_observation_to_transition,
    robot_action_to_transition,
    transition_to_batch,
    transition_to_observation,
    transition_to_policy_action,
    transition_to_robot_action,
)
from lerobot.core.processors.files import ProcessorMigrationError, Resolver
from lerobot.core.processors.pipeline import (
    DataProcessorPipeline,
    PolicyProcessorPipeline,
    RobotProcessorPipeline,
)
from lerobot.core.processors.plugins import build_step
from lerobot.core.processors.robot import action_processor, robot_action_pipeline, robot_observation_pipeline
from lerobot.core.processors.step import (
    ActionProcessorStep,
    ComplementaryDataProcessorStep,
    DoneProcessorStep,
    IdentityProcessorStep,
    InfoProcessorStep,
    ObservationProcessorStep,
    PipelineFeatures,
    PolicyActionProcessorStep,
    ProcessorStep,
    RewardProcessorStep,
    RobotActionProcessorStep,
    TruncatedProcessorStep,
)
from lerobot.core.processors.transition import EnvTransition, TransitionKey, create_transition

__all__ = [
    "ActionProcessorStep",
    "ComplementaryDataProcessorStep",
    "DataProcessorPipeline",
    "DoneProcessorStep",
    "EnvTransition",
    "IdentityProcessorStep",
    "InfoProcessorStep",
    "ObservationProcessorStep",
    "PipelineFeatures",
    "PolicyActionProcessorStep",
    "PolicyProcessorPipeline",
    "ProcessorMigrationError",
    "ProcessorStep",
    "Resolver",
    "RewardProcessorStep",
    "RobotActionProcessorStep",
    "RobotProcessorPipeline",
    "TransitionKey",
    "TruncatedProcessorStep",
    "action_processor",
    "batch_to_transition",
    "build_step",
    "create_transition",
    "identity_transition",
    "observation_to_transition",
    "policy_action_to_transition",
    "robot_action_observation_to_transition",
    "robot_action_pipeline",
    "robot_action_to_transition",
    "robot_observation_pipeline",
    "transition_to_batch",
    "transition_to_observation",
    "transition_to_policy_action",
    "transition_to_robot_action",
]

keep_moved_modules(
    __name__,
    {"building": "lerobot.core.processors.plugins"},
)
