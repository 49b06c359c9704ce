"""`lerobot replay`: a recorded episode on a robot, through the safety gate, in the recording's time."""

import logging

from lerobot.core.control import ControlLoop, require_features
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.processors import action_processor, build_step, robot_action_pipeline, robot_observation_pipeline
from lerobot.core.processors.dataset_features import create_initial_features
from lerobot.core.processors.robot import ActionPipeline, ObservationPipeline
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import SafetyGate, Session, check_safety, safe_end
from lerobot.core.types import EpisodeInfo, as_features
from lerobot.core.words import counted
from lerobot.datasets.commands.replay import ReplayConfig
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.replay.episode import RecordedEpisode, load_episode
from lerobot.datasets.replay.playback import Playback, PlaybackResult

log = logging.getLogger(__name__)


def replay(config: ReplayConfig) -> int:
    """Run the command.

    The robot first goes to the pose of the first action, as softly as any engagement; then the recording's clock
    starts, and every action is sent at its time.

    Args:
        config: validated configuration.

    Returns:
        0 at the end of the episode; 128 plus the signal's number when a signal ended it.

    Raises:
        DatasetError: there is no such dataset or episode.
        FeatureMismatchError: the episode's actions are not the robot's.
        ConfigError: a safety limit does not fit.
        DeviceError: the robot failed.
        SafetyError: the safety gate stopped the run.
    """
    robot: Robot = config.robot.build()
    episode = load_episode(config.dataset.repo_id, config.dataset.root, config.dataset.episode)
    to_robot = robot_action_pipeline([build_step(step) for step in config.processors])
    given = to_robot.transform_features(
        create_initial_features(
            action=dict.fromkeys(episode.action_names, float), observation=robot.observation_features
        )
    )
    observed = robot_observation_pipeline([build_step(step) for step in config.observation_processors])
    observed.transform_features(create_initial_features(observation=robot.observation_features))
    require_features(given["action"], robot.action_features, giver=f"dataset {episode.name}", taker=f"robot {robot}")
    if episode.robot_type not in (None, robot.name):
        log.warning("%s was recorded with a %s, and this is a %s", episode.name, episode.robot_type, robot.name)
    check_safety(robot, config.safety)
    progress = Progress(speak=config.play_sounds)
    hooks = load_hooks()
    with hooks.run("replay", config), safe_end(robot) as session:
        session.connect()
        result = _play(config, episode, session, to_robot, observed, hooks, progress)
        session.close_later("report", lambda: progress.say(describe(episode, result, robot)))
    return session.signals.exit_code


def _play(
    config: ReplayConfig,
    episode: RecordedEpisode,
    session: Session,
    to_robot: ActionPipeline,
    observed: ObservationPipeline,
    hooks: Hooks,
    progress: Progress,
) -> PlaybackResult:
    # After connecting: a calibration may have narrowed the ranges.
    gate = SafetyGate.for_robot(session.robot, config.safety)
    info = EpisodeInfo(episode.index, episode.task, {"repo_id": episode.name})

    def begin() -> None:
        progress.announce(
            f"Replaying episode {episode.index}: {counted(len(episode), 'frame')}, {episode.duration_s:.1f} s"
        )
        hooks.call("episode_start", episode=info)

    playback = Playback(
        episode,
        ramp_s=gate.config.ramp_s if gate.enabled else 0.0,
        missed=lambda: loop.timing.overruns,
        begin=begin,
    )
    loop = ControlLoop(
        session.robot,
        playback,
        gate,
        fps=episode.fps,
        observation_processors=[observed],
        action_processors=[action_processor(to_robot)],
        sinks=[playback],
        hooks=hooks,
        signals=session.signals,
    )
    progress.say("Going to the first pose ...")
    try:
        loop.run()
    finally:
        if playback.result.rows:
            info.metadata |= {"frames": playback.result.rows}
            hooks.call("episode_end", episode=info)
    return playback.result


def describe(episode: RecordedEpisode, result: PlaybackResult, robot: Robot) -> str:
    """How long it took and how well the robot followed.

    Args:
        episode: what was replayed.
        result: what came of it.
        robot: what it was replayed on.
    """
    if not result.rows:
        return "Nothing was replayed: the run ended before the first pose was reached."
    difference = result.duration_s / episode.duration_s - 1 if episode.duration_s else 0.0
    lines = [
        f"Replayed {result.rows} of {counted(len(episode), 'frame')} in {result.duration_s:.3f} s; the recording took "
        f"{episode.duration_s:.3f} s ({difference:+.2%}).",
    ]
    if result.error:
        lines.append(f"Tracking error, measured now against the recorded {result.compared_with}:")
    units = {key: spec.unit or "" for key, spec in as_features(robot.action_features).items()}
    for key, error in result.error.items():
        lines.append(f"  {key:<20} rms {error.rms:9.4f}  max {error.largest:9.4f} {units.get(key, '')}".rstrip())
    if result.changed:
        lines.append("Changed by the safety gate: " + ", ".join(f"{key} {n}" for key, n in result.changed.items()))
    return "\n".join(lines)
