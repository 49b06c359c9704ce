"""Episodes of a policy, recorded as a person's would be: reset, act, label, again."""

from collections.abc import Mapping
from contextlib import closing

from lerobot.core.processors import robot_action_pipeline, robot_observation_pipeline
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import Limit, Session, derive_limits
from lerobot.core.types import Action, Observation
from lerobot.datasets.record.command import RecordingSetup, record_episodes
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.target import open_target
from lerobot.rollout.handover import HANDOVER_S, TakingOver
from lerobot.rollout.interpolation import Forgetful
from lerobot.rollout.source import way_back
from lerobot.rollout.stage import Stage, show
from lerobot.rollout.strategy import EpisodicStrategyConfig

RESET_S = 1.0
"""Seconds for the way back to the start between episodes; the safety gate may need longer."""


class EpisodicSource:
    """The policy during an episode; between episodes a teleoperator, or the way back to the start.

    Every run of the control loop begins with a reset, so its first tick ends the episode before.

    Args:
        policy: acts in episodes.
        limits: of the robot's safety gate; see `way_back`.
        between: drives the robot between episodes; None if nobody does.
        goes_back: go back to the start, if nobody drives; otherwise stay.
        fps: ticks per second.
    """

    def __init__(
        self,
        policy: Forgetful,
        limits: Mapping[str, Limit],
        *,
        between: TakingOver | None,
        goes_back: bool,
        fps: float,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._between = between
        self._goes_back = goes_back
        self._ticks = max(1, round(RESET_S * fps))
        self._acting = False
        self._way: list[Action] = []
        self.start: Observation | None = None
        """What was measured at the first tick of all."""

    def begin(self) -> None:
        """Let the policy act from the next tick on, with no memory of what was before."""
        if self._between is not None:
            self._between.release()
        self._policy.reset()
        self._acting = True

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self.start is None:
            self.start = observation
        if tick == 0:
            self._acting = False
            goal = self.start if self._goes_back else observation
            self._way = way_back(self._limits, observation, goal, self._ticks)
        if self._acting:
            return self._policy.next_action(observation, tick)
        if self._between is not None:
            return self._between.next_action(observation, tick)
        return self._way[min(tick, len(self._way) - 1)]


class EpisodicStrategy:
    """See the module.

    Args:
        config: its configuration.
    """

    def __init__(self, config: EpisodicStrategyConfig) -> None:
        self.config = config

    def run(self, stage: Stage) -> int:
        """See `Strategy.run`.

        Raises:
            FeatureMismatchError: the teleoperator, or the dataset to resume, does not fit the robot.
            DatasetError: the dataset cannot be created, resumed, written or uploaded.
        """
        config, robot, dataset = stage.config, stage.robot, stage.recorded
        teleoperator = stage.fitting_teleoperator()
        source = episodic_source(stage, teleoperator, self.config)

        def afterwards(session: Session) -> None:
            show(str(stage.actor.report))
            if config.return_to_initial_position and source.start is not None:
                stage.go_back(session, source.start)

        observed, stored = robot_observation_pipeline(), robot_action_pipeline()
        progress = Progress(speak=config.play_sounds)
        setup = RecordingSetup(
            "rollout",
            config,
            dataset,
            config.safety,
            stage.hooks,
            progress,
            stage.display,
            config.control_file,
            config.interpolation_multiplier,
        )
        with closing(open_target(dataset, robot, resume=config.resume, observation=observed, action=stored)) as target:
            return record_episodes(
                setup,
                target,
                robot,
                source,
                teleoperator=teleoperator,
                on_episode=source.begin,
                afterwards=afterwards,
            )


def episodic_source(stage: Stage, teleoperator: Teleoperator | None, config: EpisodicStrategyConfig) -> EpisodicSource:
    """Make the source of commands of a run of episodes.

    Args:
        stage: see there.
        teleoperator: drives the robot between episodes; None if nobody does.
        config: how it takes over, and where the robot goes without it.
    """
    limits, _ = derive_limits(stage.robot.action_features, stage.config.safety)
    between = None
    if teleoperator is not None:
        ticks = round(HANDOVER_S * stage.rate_hz) if config.smooth_handover else 0
        between = TakingOver(
            teleoperator,
            limits,
            ticks,
            moves_leader=config.smooth_leader_to_follower_handover,
            to_robot=stage.steps_of(teleoperator),
        )
    return EpisodicSource(
        stage.acting, limits, between=between, goes_back=config.reset_to_initial_position, fps=stage.rate_hz
    )
