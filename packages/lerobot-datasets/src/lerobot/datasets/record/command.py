"""`lerobot record`: everything is checked, then opened, then recorded, then brought to rest."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.config.base import CommandConfig
from lerobot.core.control import CommandSource, ObservationProcessor, TeleoperatorSource, teleoperation_pipeline
from lerobot.core.control.loop import ActionProcessor
from lerobot.core.control.rerun_display import RerunDisplay, open_display
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.processors import action_processor, build_step, robot_action_pipeline, robot_observation_pipeline
from lerobot.core.protocols.robot import HasTask, Robot
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import SafetyConfig, SafetyGate, Session, check_safety, safe_end
from lerobot.core.words import counted
from lerobot.datasets.commands.record import DatasetRecordConfig, RecordConfig
from lerobot.datasets.record.control_file import WORDS, ControlFile
from lerobot.datasets.record.keyboard import open_keyboard
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.requests import Request, Requests, RequestSource, device_requests
from lerobot.datasets.record.session import Drive, RecordingSession
from lerobot.datasets.record.target import Target, open_target

log = logging.getLogger(__name__)


def record(config: RecordConfig) -> int:
    """Run the command.

    Everything that can be wrong is checked before a device is connected: features, safety limits, the display, and
    that the dataset can be written.

    Args:
        config: validated configuration.

    Returns:
        0 at the end; 128 plus the signal's number when a signal ended the recording.

    Raises:
        FeatureMismatchError: teleoperator, robot and dataset do not fit.
        ConfigError: a safety limit or display setting does not fit.
        DatasetError: the dataset cannot be created, resumed, written or uploaded.
        DeviceError: a device failed.
        SafetyError: the safety gate stopped the run.
    """
    robot: Robot = config.robot.build()
    teleop: Teleoperator = config.teleop.build()
    to_robot = teleoperation_pipeline(config.processors.teleop, teleop, robot)
    to_dataset = robot_action_pipeline([build_step(step) for step in config.processors.action])
    observed = robot_observation_pipeline([build_step(step) for step in config.processors.observation])
    check_safety(robot, config.safety)
    progress = Progress(speak=config.play_sounds)
    display = open_display(config, "lerobot_record")
    hooks = load_hooks()
    dataset = config.dataset
    if not dataset.single_task and isinstance(robot, HasTask):
        dataset = dataset.model_copy(update={"single_task": robot.task_description})
    if not dataset.single_task:
        log.warning("--dataset.single_task is empty: policies that follow instructions cannot be trained on this")
    setup = RecordingSetup("record", config, dataset, config.safety, hooks, progress, display, config.control_file)
    with closing(open_target(dataset, robot, resume=config.resume, observation=observed, action=to_dataset)) as target:
        return record_episodes(
            setup,
            target,
            robot,
            TeleoperatorSource(teleop),
            teleoperator=teleop,
            observation_processors=[observed],
            action_processors=[action_processor(to_robot)],
        )


@dataclass(frozen=True, slots=True)
class RecordingSetup:
    """What a recording needs, whoever drives the robot.

    Attributes:
        command: name of the command, for hooks.
        config: its configuration, for hooks.
        dataset: what is recorded.
        safety: limits of the safety gate.
        hooks: hook plugins.
        progress: where to say how it goes.
        display: shows what is recorded; closed at the end.
        control_file: see `ControlFile`; None for none.
        ticks_per_row: see `Drive`.
    """

    command: str
    config: CommandConfig
    dataset: DatasetRecordConfig
    safety: SafetyConfig
    hooks: Hooks
    progress: Progress
    display: RerunDisplay | None
    control_file: Path | None = None
    ticks_per_row: int = 1


def record_episodes(
    setup: RecordingSetup,
    target: Target,
    robot: Robot,
    source: CommandSource,
    *,
    teleoperator: Teleoperator | None = None,
    observation_processors: Sequence[ObservationProcessor] = (),
    action_processors: Sequence[ActionProcessor] = (),
    on_episode: Callable[[], None] = lambda: None,
    afterwards: Callable[[Session], None] = lambda _: None,
) -> int:
    """Connect, record, come to rest, and finish the dataset.

    Args:
        setup: see `RecordingSetup`.
        target: the open dataset.
        robot: the robot.
        source: drives it, during resets too.
        teleoperator: connected for the source, and asked for its buttons.
        observation_processors: see `ControlLoop`.
        action_processors: see `ControlLoop`.
        on_episode: see `Drive`.
        afterwards: called after the last episode, with the robot still connected.

    Returns:
        See `record`, which also lists what is raised.
    """
    progress, others = setup.progress, () if teleoperator is None else (teleoperator,)
    with setup.hooks.run(setup.command, setup.config), safe_end(robot, *others) as session:
        sources = _connect(setup, session)
        drive = Drive(
            source=source,
            # After connecting: a calibration may have narrowed the ranges.
            gate=SafetyGate.for_robot(robot, setup.safety),
            observation_processors=observation_processors,
            action_processors=action_processors,
            sinks=() if setup.display is None else (setup.display,),
            hooks=setup.hooks,
            ticks_per_row=setup.ticks_per_row,
            on_episode=on_episode,
        )
        recording = RecordingSession(
            setup.dataset,
            target,
            session,
            drive,
            requests=Requests(sources),
            buttons=device_requests(teleoperator, robot),
            progress=progress,
        )
        session.close_later("summary", lambda: progress.say(_summary(target, recording.saved)))
        session.close_later("last episode", recording.settle)
        recording.run()
        progress.announce("Stop recording")
        if session.signals.received is None:
            afterwards(session)
    if session.signals.received is None:
        finish(setup.dataset, target, progress)
    return session.signals.exit_code


def _connect(setup: RecordingSetup, session: Session) -> list[RequestSource]:
    """Connect the devices and open what a person says things by; all are closed on every way out."""
    if setup.display is not None:
        session.close_later("display", setup.display.close)
    session.close_later("progress line", setup.progress.close)
    sources = _open_control_file(setup.control_file, session, setup.progress)
    session.connect()
    # After connecting: devices may ask questions, and a keyboard that drives the robot has the first choice.
    return [*sources, *_open_keyboard(session, setup.progress, alone=not sources)]


def _open_control_file(path: Path | None, session: Session, progress: Progress) -> list[RequestSource]:
    """Open the control file, if there is to be one; it is removed on every way out."""
    if path is None:
        return []
    file = ControlFile(path, Request)
    session.close_later("control file", file.close)
    progress.say(f"Control file {file.path}: write one of {WORDS} into it.")
    return [file]


def _open_keyboard(session: Session, progress: Progress, *, alone: bool) -> list[RequestSource]:
    """Open the keyboard, if there is one; it is closed on every way out."""
    keyboard = open_keyboard()
    if keyboard is not None:
        session.close_later("keyboard", keyboard.close)
        progress.say(keyboard.help())
        return [keyboard]
    if alone:
        progress.say(
            "No terminal to read keys from: episodes end after --dataset.episode_time_s; --control_file=PATH "
            "lets you end them earlier."
        )
    return []


def _summary(target: Target, saved: int) -> str:
    info = target.recorder.info
    if info.total_episodes == 0:
        return "No episode was saved."
    return (
        f"{counted(saved, 'episode')} saved by this run; {target.repo_id} has "
        f"{counted(info.total_episodes, 'episode')}, {counted(info.total_frames, 'frame')}: {target.recorder.root}"
    )


def finish(dataset: DatasetRecordConfig, target: Target, progress: Progress) -> None:
    """With the robot at rest: join the small files, and upload if that was asked for.

    Args:
        dataset: what was recorded, and whether to upload it.
        target: the dataset.
        progress: where to say so.

    Raises:
        DatasetError: the files cannot be joined or uploaded; the dataset is unharmed.
    """
    recorder = target.recorder
    if recorder.info.total_episodes == 0:
        return
    recorder.finalize()
    if dataset.push_to_hub:
        # Slow to import, and most recordings stay on this computer.
        from lerobot.datasets.hub.push import push

        progress.say(f"Uploading to {target.repo_id} ...")
        progress.say(f"Uploaded: {push(recorder.root, target.repo_id, private=dataset.private, tags=dataset.tags)}")
    progress.announce("Exiting")
