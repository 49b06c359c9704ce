"""What opens before a run that is recorded, and closes after it."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lerobot.core.control import CommandSource, Sink
from lerobot.core.processors import robot_action_pipeline, robot_observation_pipeline
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import Session, safe_end
from lerobot.core.tick import Tick
from lerobot.datasets.commands.record import DatasetRecordConfig
from lerobot.datasets.record.command import finish
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.row_ticks import RowTicks
from lerobot.datasets.record.target import open_target
from lerobot.rollout.controls import Controls, WishSource
from lerobot.rollout.recording.stream import RecordingStream
from lerobot.rollout.stage import Stage, show


@dataclass(slots=True)
class RecordedRun:
    """A connected robot, and an open dataset.

    Attributes:
        session: the devices.
        stream: the dataset.
        controls: what a person asks for.
        progress: where to say how it goes.
        dataset: what is recorded.
        upload: upload it when the robot is at rest.
    """

    session: Session
    stream: RecordingStream
    controls: Controls
    progress: Progress
    dataset: DatasetRecordConfig
    upload: bool


@contextmanager
def recorded_run(
    stage: Stage,
    *,
    wishes: type[StrEnum],
    keys: Mapping[str, str],
    teleoperator: Teleoperator | None = None,
    columns: Mapping[str, Any] | None = None,
    pedal: WishSource | None = None,
    more_rows: int = 0,
) -> Iterator[RecordedRun]:
    """Open the dataset and connect, for the body of a strategy; then come to rest, save what is left, and upload.

    Args:
        stage: see there.
        wishes: what a person may ask for; words of the control file.
        keys: wish by key of the terminal.
        teleoperator: connected too.
        columns: declarations of columns beside the usual ones.
        pedal: passes on wishes too.
        more_rows: see `RecordingStream`.

    Raises:
        DatasetError: the dataset cannot be created, resumed, written or uploaded.
    """
    config = stage.config
    dataset = stage.recorded
    observed, stored = robot_observation_pipeline(), robot_action_pipeline()
    progress = Progress(speak=config.play_sounds)
    target = open_target(dataset, stage.robot, resume=config.resume, observation=observed, action=stored, added=columns)
    others = () if teleoperator is None else (teleoperator,)
    with closing(target):
        with stage.hooks.run("rollout", config), safe_end(stage.robot, *others) as session:
            if stage.display is not None:
                session.close_later("display", stage.display.close)
            session.close_later("progress line", progress.close)
            stream = RecordingStream(
                target,
                lambda: stage.actor.task or dataset.single_task,
                dataset.fps,
                stage.hooks,
                progress.say,
                more_rows=more_rows,
            )
            session.close_later("recording", stream.close)
            session.connect()
            controls = Controls(wishes, keys, config.control_file, progress.say, pedal=pedal)
            session.close_later("controls", controls.close)
            run = RecordedRun(session, stream, controls, progress, dataset, dataset.push_to_hub)
            yield run
        if session.signals.received in (None, signal.SIGINT):
            finish(dataset.model_copy(update={"push_to_hub": run.upload}), target, progress)


def drive(stage: Stage, run: RecordedRun, source: CommandSource, sink: Sink, others: tuple[Sink, ...] = ()) -> None:
    """Run the control loop until its time is over or somebody ends it, and go back.

    Args:
        stage: see there.
        run: see there.
        source: commands the robot.
        sink: records, once per action of the policy.
        others: get every tick, before it.
    """
    start = run.session.robot.get_observation()
    steps = stage.config.interpolation_multiplier
    rows: Sink = sink if steps == 1 else RowTicks(sink, steps)
    loop = stage.loop(run.session, source, [*others, rows])
    run.session.close_later("report", lambda: show(stage.report(loop.report)))
    report = loop.run(duration_s=stage.duration_s, stop=run.controls.stop)
    if report.ended_by in {"duration", "stop"} and stage.config.return_to_initial_position:
        stage.go_back(run.session, start)


class AfterRamp:
    """Says of a tick whether the robot follows, that is whether the gate's soft begin is over.

    Args:
        ramp_s: how long that takes.
    """

    def __init__(self, ramp_s: float) -> None:
        self._ramp_s = ramp_s
        self._first_s: float | None = None

    def follows(self, tick: Tick) -> bool:
        """Whether this tick is recorded."""
        if tick.stopped:
            self._first_s = None  # the gate engages anew after a stop
            return False
        if self._first_s is None:
            if not tick.requested:
                return False
            self._first_s = tick.start_s
        return tick.start_s - self._first_s >= self._ramp_s
