"""`lerobot teleoperate`: a person drives a robot."""

import contextlib
import sys

from lerobot.core.commands.teleoperate import TeleoperateConfig
from lerobot.core.control.loop import ControlLoop
from lerobot.core.control.rerun_display import RerunDisplay, open_display
from lerobot.core.control.source import TeleoperatorSource, teleoperation_pipeline
from lerobot.core.control.status import StatusLine
from lerobot.core.control.timing import LoopReport
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.processors import action_processor
from lerobot.core.processors.robot import ActionPipeline
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import SafetyGate, Session, check_safety, safe_end


def teleoperate(config: TeleoperateConfig) -> int:
    """Run the command.

    Everything that can be wrong is checked before a device is connected: the configuration, the safety limits, that
    the teleoperator commands what the robot takes, and the display.

    Args:
        config: validated configuration.

    Returns:
        0 after `teleop_time_s`; 128 plus the signal's number when a signal ended the run.

    Raises:
        FeatureMismatchError: teleoperator and robot do not fit.
        ConfigError: a safety limit or display setting does not fit.
        DeviceError: a device failed.
        SafetyError: the safety gate stopped the run.
    """
    robot: Robot = config.robot.build()
    teleop: Teleoperator = config.teleop.build()
    to_robot = teleoperation_pipeline(config.processors.teleop, teleop, robot)
    check_safety(robot, config.safety)
    display = open_display(config, "lerobot_teleoperate")
    hooks = load_hooks()
    with hooks.run("teleoperate", config), safe_end(robot, teleop) as session:
        if display is not None:
            session.close_later("display", display.close)
        session.connect()
        _run(config, session, TeleoperatorSource(teleop), to_robot, display, hooks)
    return session.signals.exit_code


def _run(
    config: TeleoperateConfig,
    session: Session,
    source: TeleoperatorSource,
    to_robot: ActionPipeline,
    display: RerunDisplay | None,
    hooks: Hooks,
) -> None:
    status = StatusLine()
    loop = ControlLoop(
        session.robot,
        source,
        # After connecting: a calibration may have narrowed the ranges.
        SafetyGate.for_robot(session.robot, config.safety),
        fps=config.fps,
        action_processors=[action_processor(to_robot)],
        sinks=[status] if display is None else [status, display],
        hooks=hooks,
        signals=session.signals,
    )
    session.close_later("report", lambda: _show(loop.report))
    session.close_later("status line", status.close)
    loop.run(duration_s=config.teleop_time_s)


def _show(report: LoopReport) -> None:
    # Whoever read the output has gone (`| head -1`): that is no failure of the robot.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{report}\n")
