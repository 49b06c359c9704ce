"""`lerobot rollout`: a trained policy drives a robot, through the control loop and the safety gate."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from lerobot.core.control.loop import ControlLoop
from lerobot.core.control.rerun_display import RerunDisplay, open_display
from lerobot.core.control.source import CommandSource, SequenceSource
from lerobot.core.control.status import StatusLine
from lerobot.core.control.timing import LoopReport
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.dataset_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import SafetyGate, Session, derive_limits, safe_end
from lerobot.policies.commands.rollout import RolloutConfig
from lerobot.policies.features import features_of_dataset
from lerobot.policies.making import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.source import PolicySource, way_back

RETURN_S = 3.0


def rollout(config: RolloutConfig) -> int:
    """Run the command.

    Everything that can be wrong is checked before the robot is connected: the checkpoint, that the robot provides what
    the policy needs, the limits, and by a rehearsal that the policy gives an action for such an observation.

    Args:
        config: validated configuration.

    Returns:
        0 after `duration`; 128 plus the signal's number when a signal ended the run.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: policy and robot do not fit.
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
    arguments: dict[str, Any] = {
        "fps": config.fps,
        "sinks": [status] if display is None else [status, display],
        "hooks": hooks,
        "signals": session.signals,
    }
    loop = _loop(config, session, source, arguments)
    session.close_later("report", lambda: _show(loop.report))
    report = loop.run(duration_s=config.duration or None)
    if report.ended_by == "duration" and config.return_to_initial_position:
        back = _commands_back(session.robot, start, round(RETURN_S * config.fps))
        _loop(config, session, back, arguments).run()


def _loop(config: RolloutConfig, session: Session, source: CommandSource, arguments: dict[str, Any]) -> ControlLoop:
    # The gate is made after connecting: a calibration may have narrowed the ranges.
    return ControlLoop(session.robot, source, SafetyGate.for_robot(session.robot, config.safety), **arguments)


def _commands_back(robot: Robot, start: Mapping[str, Any], ticks: int) -> SequenceSource:
    """Commands that bring the joints back; velocities and the like have no way back."""
    positions = {key: start[key] for key in robot.action_features if key.endswith(".pos") and key in start}
    return SequenceSource(way_back(robot.get_observation(), positions, ticks))


def _show(report: LoopReport) -> None:
    # Whoever read the output has gone (`| head -1`): that is no failure of the robot.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{report}\n")
