"""Take after take: what is saved, what is recorded again, and when it ends.

An episode is saved while the robot goes on: the reset before the next one lasts until that is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lerobot.core.clock import clock_of
from lerobot.core.control import CommandSource, ControlLoop, ObservationProcessor, Sink
from lerobot.core.control.loop import ActionProcessor
from lerobot.core.hooks import Hooks
from lerobot.core.safety import SafetyGate, Session
from lerobot.core.types import EpisodeInfo
from lerobot.core.words import counted
from lerobot.datasets.commands.record import DatasetRecordConfig
from lerobot.datasets.record.episode_save import EpisodeSave
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.requests import Request, Requests
from lerobot.datasets.record.row_ticks import RowTicks
from lerobot.datasets.record.rows import OUTCOME, UNKNOWN
from lerobot.datasets.record.take import Take, TakePlan, TakeResult
from lerobot.datasets.record.target import Target
from lerobot.datasets.writer.recorder import SavedEpisode


@dataclass(frozen=True, slots=True)
class Drive:
    """Everything the control loop needs but the recording itself.

    Attributes:
        source: where commands come from.
        gate: the robot's safety gate.
        observation_processors: see `ControlLoop`.
        action_processors: see `ControlLoop`.
        sinks: further receivers of ticks, such as a display.
        hooks: hook plugins.
        ticks_per_row: ticks of the control loop per row of the dataset.
        on_episode: called when an episode begins, before the hooks: a source may then be another than while resetting.
    """

    source: CommandSource
    gate: SafetyGate
    observation_processors: Sequence[ObservationProcessor]
    action_processors: Sequence[ActionProcessor]
    sinks: Sequence[Sink]
    hooks: Hooks
    ticks_per_row: int = 1
    on_episode: Callable[[], None] = lambda: None


class RecordingSession:
    """Records the episodes of one command.

    Args:
        config: what is recorded.
        target: the open dataset.
        session: connected devices and stop signals.
        drive: see `Drive`.
        requests: what the person wants.
        buttons: what the teleoperator's buttons say.
        progress: where to say how it goes.
    """

    def __init__(
        self,
        config: DatasetRecordConfig,
        target: Target,
        session: Session,
        drive: Drive,
        *,
        requests: Requests,
        buttons: Callable[[], Request | None],
        progress: Progress,
    ) -> None:
        self.saved = 0
        """Episodes that this session saved and did not take back; the last one may still be on its way."""
        # Asking twice to record again must not reach an episode that was meant to be kept.
        self._just_saved = False
        self._first = target.recorder.info.total_episodes
        self._save: EpisodeSave | None = None
        self._taken = TakeResult()
        self._config = config
        self._target = target
        self._recorder = target.recorder
        self._session = session
        self._drive = drive
        self._requests = requests
        self._buttons = buttons
        self._progress = progress

    def run(self) -> None:
        """Record until there are enough episodes, somebody stops it, or a signal comes; then call `settle`.

        Raises:
            DatasetError: a row or an episode could not be stored; saved episodes are unharmed.
            DeviceError: the robot, a camera or the teleoperator failed.
            SafetyError: the safety gate stopped the run.
        """
        reset_s = 0.0
        while self.saved < self._config.num_episodes:
            result = self._take(reset_s)
            if self._session.signals.stop_requested:
                self._say_interrupted(result)
                return
            if result.ended_by == Request.REDO:
                self._redo(result)
            elif result.frames:
                self._begin_save(result)
            if result.ended_by == Request.STOP or self._session.signals.stop_requested:
                return
            reset_s = self._config.reset_time_s

    def settle(self) -> None:
        """Wait until the last episode is saved, and say so; may be called repeatedly.

        Raises:
            DatasetError: it could not be saved; the others are unharmed.
        """
        if self._save is not None:
            saved = self._save.result()
            self._save = None
            self._progress.say(describe(saved, self._taken))

    def _is_settled(self) -> bool:
        """Whether the recorder is free for the next episode; see `settle` for what is raised."""
        if self._save is not None and self._save.is_done:
            self.settle()
        return self._save is None

    def _take(self, reset_s: float) -> TakeResult:
        """One run of the control loop."""
        recorder, drive, gate = self._recorder, self._drive, self._drive.gate
        index = self._first + self.saved
        episode = EpisodeInfo(index, self._config.single_task, {"repo_id": self._target.repo_id})
        plan = TakePlan(
            index=episode.index,
            task=episode.task,
            ramp_s=gate.config.ramp_s if gate.enabled else 0.0,
            reset_s=reset_s,
            episode_s=self._config.episode_time_s,
        )

        def begin() -> None:
            drive.on_episode()
            drive.hooks.call("episode_start", episode=episode)

        take = Take(
            plan,
            recorder,
            self._target.rows,
            requests=self._requests,
            buttons=self._buttons,
            progress=self._progress,
            fps=self._config.fps,
            is_free=self._is_settled,
            begin=begin,
            saved=(self.saved, self._config.num_episodes),
            clock=clock_of(self._session.robot),
        )
        loop = ControlLoop(
            self._session.robot,
            drive.source,
            gate,
            fps=self._config.fps * drive.ticks_per_row,
            observation_processors=drive.observation_processors,
            action_processors=drive.action_processors,
            sinks=[take if drive.ticks_per_row == 1 else RowTicks(take, drive.ticks_per_row), *drive.sinks],
            hooks=drive.hooks,
            signals=self._session.signals,
        )
        try:
            loop.run(stop=take.stop)
        finally:
            if not take.result.during_reset:
                episode.metadata |= {"outcome": take.result.outcome, "frames": take.result.frames}
                drive.hooks.call("episode_end", episode=episode)
        return take.result

    def _redo(self, result: TakeResult) -> None:
        """Forget the episode that was in progress, or before it began the one saved last."""
        if not result.during_reset:
            self._recorder.clear_episode_buffer()
        elif self._just_saved:
            self._recorder.take_back_episode()
            self.saved -= 1
        else:
            self._progress.say("There is no episode to record again.")
            return
        self._just_saved = False
        self._progress.announce("Re-record episode")

    def _begin_save(self, result: TakeResult) -> None:
        if OUTCOME in self._target.rows.features:
            self._recorder.label_episode({OUTCOME: result.outcome})
        self._save, self._taken = EpisodeSave(self._recorder), result
        self.saved += 1
        self._just_saved = True

    def _say_interrupted(self, result: TakeResult) -> None:
        if result.frames:
            self._progress.say(
                f"Interrupted: {counted(result.frames, 'frame')} of the episode in progress dropped. "
                "To keep an episode, end it with q."
            )


def describe(saved: SavedEpisode, result: TakeResult) -> str:
    """What was saved and how well time was kept, in a few lines.

    Args:
        saved: from the recorder.
        result: from the take.
    """
    timing = result.timing
    outcome = "outcome unknown" if result.outcome == UNKNOWN else result.outcome
    lines = [f"Episode {saved.index} saved: {counted(saved.length, 'frame')}, {outcome}, ended by {result.ended_by}."]
    if timing is not None:
        lines.append(
            f"  {timing.achieved_hz:.3f} Hz of {timing.target_hz:g}, period jitter {timing.period_jitter}, "
            f"worst gap {timing.worst_gap_ms:.1f} ms, {timing.overruns} missed"
        )
        if timing.stale:
            lines.append("  repeated or old: " + ", ".join(f"{key} {count}" for key, count in timing.stale.items()))
        for key, reasons in timing.interventions.items():
            lines.append(f"  safety gate, {key}: " + ", ".join(f"{reason} {n}" for reason, n in reasons.items()))
    for camera, seconds in result.repeated_s.items():
        lines.append(f"  camera {camera} gave one image for {seconds:.1f} s as if it were new; see what it shows")
    if saved.waited_s:
        lines.append(f"  waited {saved.waited_s:.2f} s for encoders; try --dataset.rgb_encoder.vcodec=h264")
    return "\n".join(lines)
