"""Drive, and record nothing."""

import threading

from lerobot.core.control import Sink
from lerobot.core.control.status import StatusLine
from lerobot.core.safety import Session, safe_end
from lerobot.rollout.actor import robot_features
from lerobot.rollout.stage import Stage, show
from lerobot.rollout.strategy import BaseStrategyConfig
from lerobot.rollout.watch import ImageWatch


class BaseStrategy:
    """See the module.

    Args:
        config: its configuration.
    """

    def __init__(self, config: BaseStrategyConfig) -> None:
        self.config = config

    def run(self, stage: Stage) -> int:
        """See `Strategy.run`."""
        with stage.hooks.run("rollout", stage.config), safe_end(stage.robot) as session:
            if stage.display is not None:
                session.close_later("display", stage.display.close)
            session.connect()
            self._drive(stage, session)
        return session.signals.exit_code

    def _drive(self, stage: Stage, session: Session) -> None:
        status, watch = StatusLine(), ImageWatch(robot_features(stage.robot))
        session.close_later("status line", status.close)
        start = session.robot.get_observation()
        sinks: list[Sink] = [status, watch]
        stop = threading.Event()
        loop = stage.loop(session, stage.conversation(stop) or stage.acting, sinks)
        session.close_later("report", lambda: show(f"{stage.report(loop.report)}{watch}"))
        report = loop.run(duration_s=stage.duration_s, stop=stop)
        if report.ended_by in {"duration", "stop"} and stage.config.return_to_initial_position:
            stage.go_back(session, start, [status])
