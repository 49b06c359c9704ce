"""Episode after episode on a robot: which is next, who judges it, and how it all ends."""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from lerobot.core.control import Sink
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import Session, safe_end
from lerobot.core.types import EpisodeInfo
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.requests import robot_requests, teleoperator_requests
from lerobot.datasets.record.row_ticks import RowTicks
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.trials.tally import Tally
from lerobot.envs.trials.trial import Attempt, Rules, Trial
from lerobot.envs.trials.wishes import KEYS, Wish
from lerobot.rollout.actor import robot_features
from lerobot.rollout.controls import Controls
from lerobot.rollout.stage import Stage, show
from lerobot.rollout.strategies.episodic import EpisodicSource, episodic_source
from lerobot.rollout.strategy import EpisodicStrategyConfig, Need, StrategyConfig
from lerobot.rollout.watch import ImageWatch


class EvaluationStrategyConfig(StrategyConfig):
    """Play episodes, and count those that succeed: what `lerobot eval` does on a robot."""

    target: ClassVar[str] = f"{__name__}:RobotEvaluation"
    teleoperator: ClassVar[Need] = "may"
    duration: ClassVar[bool] = False

    type: str = "evaluation"


class RobotEvaluation:
    """Plays the episodes that are missing; see `lerobot.rollout.stage.Strategy`.

    Args:
        config: of the command, with a robot.
        tally: says which those are, and keeps them.
        detector: tells that the task is solved; None if a person does.
    """

    def __init__(self, config: EvalPipelineConfig, tally: Tally, detector: SuccessDetector | None) -> None:
        self._config = config
        self._tally = tally
        self._detector = detector

    def run(self, stage: Stage) -> int:
        """Connect, play until all episodes are judged or somebody stops it, and come to rest.

        Returns:
            0; 128 plus the signal's number when a signal ended it.

        Raises:
            FeatureMismatchError: the teleoperator does not fit the robot.
            DeviceError: a device failed.
            SafetyError: the safety gate stopped the run.
        """
        config, teleoperator = self._config, stage.fitting_teleoperator()
        source = episodic_source(stage, teleoperator, EpisodicStrategyConfig())
        progress, watch = Progress(speak=config.play_sounds), ImageWatch(robot_features(stage.robot))
        others = () if teleoperator is None else (teleoperator,)
        with stage.hooks.run("eval", config), safe_end(stage.robot, *others) as session:
            if stage.display is not None:
                session.close_later("display", stage.display.close)
            session.close_later("report", lambda: show(f"{stage.actor.report}{watch}"))
            session.close_later("progress line", progress.close)
            session.connect()
            controls = Controls(Wish, KEYS, config.control_file, progress.say)
            session.close_later("controls", controls.close)
            judges = _Judges(controls, stage.robot, teleoperator, self._detector)
            _Run(config, self._tally, stage, session, source, watch, judges, progress).play()
            if session.signals.received is None and config.return_to_initial_position and source.start is not None:
                stage.go_back(session, source.start)
        return session.signals.exit_code


class _Judges:
    """Everybody who may say how an episode goes.

    Args:
        controls: keys, and words in a file.
        robot: ends an episode itself, if it is an environment.
        teleoperator: its buttons, if it has some; None for none.
        detector: tells that the task is solved; None if it is a person who does.
    """

    def __init__(
        self,
        controls: Controls,
        robot: Robot,
        teleoperator: Teleoperator | None,
        detector: SuccessDetector | None,
    ) -> None:
        self.detector = detector
        self._controls = controls
        self._said = (teleoperator_requests(teleoperator), robot_requests(robot))
        self._unanswered: deque[Wish] = deque()

    def wishes(self) -> deque[Wish]:
        """What a person asked for and nobody has answered yet, the oldest first."""
        self._unanswered.extend(map(Wish, self._controls.poll()))
        return self._unanswered

    def button(self) -> Wish | None:
        """What a button of the teleoperator says, or the robot itself."""
        pressed = next((request for say in self._said if (request := say()) is not None), None)
        return None if pressed is None else Wish(pressed.value)


@dataclass(frozen=True, slots=True)
class _Run:
    """Connected devices, and everything that an episode needs; see `RobotEvaluation`."""

    config: EvalPipelineConfig
    tally: Tally
    stage: Stage
    session: Session
    source: EpisodicSource
    watch: Sink
    judges: _Judges
    progress: Progress

    def play(self) -> None:
        """Play one episode after the other, until the last one is judged."""
        waiting = deque(self.tally.missing)
        before: Attempt | None = None
        while waiting or (before is not None and before.verdict is None):
            trial = self._play_one(waiting[0] if waiting else None, before)
            if self.session.signals.stop_requested or trial.ended_by is Wish.STOP:
                self._say_not_counted(trial.played or before)
                return
            if trial.ended_by is Wish.REDO:
                if trial.played is None and before is not None:
                    self.tally.take_back(before)
                    waiting.appendleft(before.index)
                    before = None
                self.progress.announce(f"Episode {waiting[0]} again")
            elif trial.played is not None:
                before = trial.played
                waiting.popleft()

    def _play_one(self, index: int | None, before: Attempt | None) -> Trial:
        """One run of the control loop: reset, and episode `index` if there is one."""
        config, hooks = self.config, self.stage.hooks
        episode = EpisodeInfo(-1 if index is None else index, config.task)

        def begin() -> None:
            self.source.begin()
            hooks.call("episode_start", episode=episode)

        rules = Rules(
            fps=config.fps,
            ramp_s=config.safety.ramp_s if config.safety.enabled else 0.0,
            reset_s=0.0 if before is None else config.eval.reset_time_s,
            episode_s=config.eval.episode_time_s,
            detector=self.judges.detector,
            wishes=self.judges.wishes,
            button=self.judges.button,
            begin=begin,
            judged=lambda played: self.progress.say(self.tally.add(played)),
            progress=self.progress,
        )
        trial, steps = Trial(index, before, rules), config.interpolation_multiplier
        loop = self.stage.loop(self.session, self.source, [self.watch, trial if steps == 1 else RowTicks(trial, steps)])
        try:
            loop.run(stop=trial.stop)
        finally:
            if trial.played is not None:
                verdict = trial.played.verdict or Wish.UNKNOWN
                episode.metadata |= {"outcome": str(verdict), "frames": trial.played.steps}
                hooks.call("episode_end", episode=episode)
        return trial

    def _say_not_counted(self, played: Attempt | None) -> None:
        if played is not None and played.verdict is None:
            self.progress.say(f"Episode {played.index} was not judged, and is not counted.")
