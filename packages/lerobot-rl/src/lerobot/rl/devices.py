"""Who acts and what is seen: the devices of a run, and what a dataset stores of them."""

from dataclasses import dataclass
from typing import Any

from lerobot.core.control.source import require_features
from lerobot.core.processors import build_step, robot_action_pipeline, robot_observation_pipeline
from lerobot.core.processors.dataset_features import (
    DatasetFeatures,
    aggregate_pipeline_dataset_features,
    combine_feature_dicts,
    create_initial_features,
)
from lerobot.core.processors.robot import ActionPipeline, ObservationPipeline
from lerobot.core.protocols.robot import HasFixedRate, HasTask, Robot
from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.types import Features, as_features
from lerobot.envs.config import EnvRobotConfig
from lerobot.rl.commands.playing import PlayingOptions

DEFAULT_FPS = 10.0
SEEDS = 100_000
"""Episodes of a run of seed 0 begin from here on, where none of `lerobot eval` does."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Nothing is connected.

    Attributes:
        robot: acts; an environment is one too.
        teleoperator: of a person; None for nobody.
        detector: tells that the task is solved; None where nobody has to.
        actions: features of an action: the robot's, or the teleoperator's where steps lead to the robot.
        features: what a dataset stores of it all.
        observe: steps of observations.
        act: steps of actions; None for none.
        fps: actions per second.
        task: what to do, in words.
    """

    robot: Robot
    teleoperator: Teleoperator | None
    detector: SuccessDetector | None
    actions: Features
    features: DatasetFeatures
    observe: ObservationPipeline
    act: ActionPipeline | None
    fps: float
    task: str

    @property
    def others(self) -> tuple[Teleoperator, ...]:
        """What is connected with the robot."""
        return () if self.teleoperator is None else (self.teleoperator,)


def make_devices(config: PlayingOptions) -> Devices:
    """Build the devices of a run and check that they fit each other.

    Raises:
        FeatureMismatchError: they do not; names what is missing.
        LeRobotError: one cannot be built.
    """
    if config.robot is not None:
        robot: Robot = config.robot.build()
    else:
        robot = EnvRobotConfig.model_validate(
            {"env": config.env, "seed": SEEDS + config.seed, "realtime": config.realtime}
        ).build()
    teleoperator: Teleoperator | None = None if config.teleop is None else config.teleop.build()
    detector: SuccessDetector | None = None if config.detector is None else config.detector.build(robot=robot)
    observe = robot_observation_pipeline([build_step(step) for step in config.observation_steps])
    act = robot_action_pipeline([build_step(step) for step in config.action_steps]) if config.action_steps else None
    actions = _actions(robot, teleoperator, act)
    fps = config.fps or (robot.control_hz if isinstance(robot, HasFixedRate) else DEFAULT_FPS)
    task = config.task or (robot.task_description if isinstance(robot, HasTask) else "")
    return Devices(robot, teleoperator, detector, actions, _stored(robot, actions, observe), observe, act, fps, task)


def _actions(robot: Robot, teleoperator: Teleoperator | None, act: ActionPipeline | None) -> Features:
    if teleoperator is None or act is None:
        given: Any = robot.action_features if teleoperator is None else teleoperator.action_features
        require_features(
            given, robot.action_features, giver=f"teleoperator {teleoperator}", taker=f"robot {robot}",
            remedy="Steps in --action_steps turn one into the other.",
        )  # fmt: skip
        return robot.action_features
    features = create_initial_features(teleoperator.action_features, robot.observation_features)
    require_features(
        act.transform_features(features)["action"],
        robot.action_features,
        giver=f"teleoperator {teleoperator} with its steps",
        taker=f"robot {robot}",
    )
    return teleoperator.action_features


def _stored(robot: Robot, actions: Features, observe: ObservationPipeline) -> DatasetFeatures:
    commanded = create_initial_features(action=as_features(actions))
    measured = create_initial_features(observation=robot.observation_features)
    return combine_feature_dicts(
        aggregate_pipeline_dataset_features(robot_action_pipeline(), commanded),
        aggregate_pipeline_dataset_features(observe, measured),
    )
