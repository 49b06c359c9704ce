"""The policy as the source of a robot's commands: loaded, checked, and set up to act when its turn comes."""

from typing import Any, Protocol

from lerobot.core.clock import MonotonicClock, clock_of
from lerobot.core.config.base import PolicyConfig
from lerobot.core.config.policies import ChunkPolicyConfig
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.dataset_features import (
    DatasetFeatures,
    aggregate_pipeline_dataset_features,
    create_initial_features,
)
from lerobot.core.protocols.acting import ActingPolicy, Place
from lerobot.core.protocols.chunks import ChunkRequest, ChunkSource
from lerobot.core.protocols.robot import Robot
from lerobot.core.registry import registry
from lerobot.core.types import as_features
from lerobot.rollout.ahead.source import AheadSettings, AheadSource
from lerobot.rollout.ahead.worker import ClockWorker, ThreadWorker, Worker
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.inference import AsyncInference, RTCInference
from lerobot.rollout.interpolation import Forgetful
from lerobot.rollout.local import LocalChunks
from lerobot.rollout.source import PolicySource, blank_observation

STATE = "observation.state"


class Actor(Forgetful, Protocol):
    """A policy that commands a robot, once per action."""

    task: str
    """What to do, in words; it may change while it acts."""

    report: Any
    """How it went, as text with an end of line; empty if there is nothing to say."""

    def close(self) -> None:
        """Release what it holds."""
        ...


def robot_features(robot: Robot) -> DatasetFeatures:
    """What a dataset stores of a robot: names and order of joints, and cameras."""
    declared = create_initial_features(robot.action_features, robot.observation_features)
    return aggregate_pipeline_dataset_features(DataProcessorPipeline(), declared)


def make_actor(config: RolloutConfig, robot: Robot) -> Actor:
    """Load the policy for a robot, or reach it, and rehearse: after this nothing is loaded, compiled or found wrong.

    Args:
        config: which policy, and when it predicts.
        robot: need not be connected.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: the robot does not provide what the policy needs.
        LeRobotError: the policy cannot act in this way.
    """
    features, inference = robot_features(robot), config.inference
    if isinstance(config.policy, ChunkPolicyConfig):
        source: ChunkSource = config.policy.build(
            observation_features=as_features(robot.observation_features),
            action_features=as_features(robot.action_features),
            fps=config.fps,
        )
    else:
        policy = load_policy(config, config.policy, robot)
        if inference.type == "sync":
            acting = PolicySource(policy, features, config.task)
            acting.rehearse()
            return acting
        source = LocalChunks(
            policy,
            features,
            rtc=inference.rtc if isinstance(inference, RTCInference) else None,
            actions_per_chunk=inference.actions_per_chunk if isinstance(inference, AsyncInference) else None,
        )
    rehearse(source, features, config.task)
    clock = clock_of(robot)
    state = features[STATE]["names"] if STATE in features else ()
    return AheadSource(
        _worker(source, robot, waits=inference.type == "sync"),
        settings_of(config),
        observation_steps=source.observation_steps,
        clock=clock,
        state=tuple(state),
        task=config.task,
    )


def load_policy(config: RolloutConfig, policy: PolicyConfig, robot: Robot) -> ActingPolicy:
    """Load a policy for a robot; see `make_actor` for what is raised."""
    place = Place(
        f"robot {robot}",
        robot_features(robot),
        specs=as_features({**robot.observation_features, **robot.action_features}),
        fps=config.fps,
        rename_map=config.rename_map,
        device=config.device,
    )
    loaded: ActingPolicy = registry.implementation(policy, policy.acts)(policy, place)
    return loaded


def settings_of(config: RolloutConfig) -> AheadSettings:
    """When to predict, and what to do with it, as the configuration says."""
    inference = config.inference
    if isinstance(inference, RTCInference):
        trained = inference.rtc.enabled and inference.rtc.mode == "trained"
        return AheadSettings(float(inference.queue_threshold), "latest_only", drop_late=trained)
    if isinstance(inference, AsyncInference):
        return AheadSettings(
            inference.chunk_size_threshold, inference.aggregate_fn_name, least_motion=inference.least_motion
        )
    return AheadSettings(threshold=0.0, aggregate="latest_only")


def rehearse(source: ChunkSource, features: DatasetFeatures, task: str) -> None:
    """Ask twice for a made-up observation, the second time with actions that are planned, and forget it.

    Raises:
        LeRobotError: observation, processors and policy do not fit each other.
    """
    blank = (blank_observation(features),) * source.observation_steps
    first = source.predict(ChunkRequest(blank, timestep=0, task=task))
    source.predict(ChunkRequest(blank, timestep=1, coming=first.actions[1:], delay=0, task=task))
    source.reset()


def _worker(source: ChunkSource, robot: Robot, *, waits: bool) -> Worker:
    clock = clock_of(robot)
    if waits:
        return ClockWorker(source, clock, seconds=0.0)
    # Time that only the robot has does not pass while a thread predicts.
    return ThreadWorker(source) if isinstance(clock, MonotonicClock) else ClockWorker(source, clock)
