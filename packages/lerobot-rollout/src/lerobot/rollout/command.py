"""`lerobot rollout`: a trained policy drives a robot, through the control loop and the safety gate."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lerobot.core.control import Sink
from lerobot.core.control.loop import ControlLoop
from lerobot.core.control.rerun_display import RerunDisplay, open_display
from lerobot.core.control.source import CommandSource, SequenceSource
from lerobot.core.control.status import StatusLine
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.dataset_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import SafetyGate, Session, derive_limits, safe_end
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import features_of_dataset
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.episodic import record_rollout
from lerobot.rollout.source import PolicySource, way_back
from lerobot.rollout.watch import ImageWatch

RETURN_S = 3.0


def rollout(config: RolloutConfig) -> int:
    """Run the command.

    Everything that can be wrong is checked before the robot is connected: the checkpoint, that the robot provides what
    the policy needs, the limits, and by a rehearsal that the policy gives an action for such an observation.

    Args:
        config: validated configuration.

    Returns:
        0 after `duration` or all episodes; 128 plus the signal's number when a signal ended the run.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: policy and robot do not fit.
        DatasetError: the episodes cannot be recorded.
        ConfigError: a safety limit or display setting does not fit.
        DeviceError: the robot failed.
        SafetyError: the safety gate stopped the run.
    """
    robot: Robot = config.robot.build()
    source = policy_source(config, robot)
    source.rehearse()
    derive_limits(robot.action_features, config.safety)
    display = open_display(config, "lerobot_rollout")
    hooks = load_hooks()
    if config.dataset is not None:
        go_back = partial(_go_back, config, hooks, [] if display is None else [display])
        return record_rollout(config, config.dataset, robot, source, display, hooks, go_back=go_back)
    with hooks.run("rollout", config), safe_end(robot) as session:
        if display is not None:
            session.close_later("display", display.close)
        session.connect()
        _run(config, session, source, display, hooks)
    return session.signals.exit_code


def policy_source(config: RolloutConfig, robot: Robot) -> PolicySource:
    """Load the policy for a robot.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: the robot does not provide what the policy needs.
    """
    declared = create_initial_features(robot.action_features, robot.observation_features)
    features = aggregate_pipeline_dataset_features(DataProcessorPipeline(), declared)
    chosen = config.policy if config.device is None else config.policy.model_copy(update={"device": config.device})
    provided = features_of_dataset(features)
    policy = make_policy(chosen, provided, rename_map=config.rename_map, provider=f"robot {robot}")
    processors = make_pre_post_processors(policy.config, rename_map=config.rename_map)
    return PolicySource(PolicyWithProcessors(policy, processors), features, config.task)


def _run(
    config: RolloutConfig, session: Session, source: PolicySource, display: RerunDisplay | None, hooks: Hooks
) -> None:
    status = StatusLine()
    session.close_later("status line", status.close)
    start = session.robot.get_observation()
    sinks: list[Sink] = [status] if display is None else [status, display]
    watch = ImageWatch(source.features)
    loop = _loop(config, hooks, [*sinks, watch], session, source)
    session.close_later("report", lambda: _show(f"{loop.report}\n{watch}"))
    report = loop.run(duration_s=config.duration or None)
    if report.ended_by == "duration" and config.return_to_initial_position:
        _go_back(config, hooks, sinks, session, start)


def _go_back(
    config: RolloutConfig, hooks: Hooks, sinks: Sequence[Sink], session: Session, start: Mapping[str, Any]
) -> None:
    """Bring the joints back to where they were."""
    limits, _ = derive_limits(session.robot.action_features, config.safety)
    way = way_back(limits, session.robot.get_observation(), start, round(RETURN_S * config.fps))
    _loop(config, hooks, sinks, session, SequenceSource(way)).run()


def _loop(
    config: RolloutConfig, hooks: Hooks, sinks: Sequence[Sink], session: Session, source: CommandSource
) -> ControlLoop:
    return ControlLoop(
        session.robot,
        source,
        # After connecting: a calibration may have narrowed the ranges.
        SafetyGate.for_robot(session.robot, config.safety),
        fps=config.fps,
        sinks=sinks,
        hooks=hooks,
        signals=session.signals,
    )


def _show(report: str) -> None:
    # Whoever read the output has gone (`| head -1`): that is no failure of the robot.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(report)
