"""What every strategy works with: the robot, the policy that drives it, and the loop between them."""

import contextlib
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lerobot.core.control import CommandSource, Sink
from lerobot.core.control.loop import ControlLoop
from lerobot.core.control.rerun_display import RerunDisplay
from lerobot.core.control.source import SequenceSource, teleoperation_pipeline
from lerobot.core.control.timing import LoopReport
from lerobot.core.hooks import Hooks
from lerobot.core.processors.robot import ActionPipeline
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import SafetyGate, Session, derive_limits
from lerobot.datasets.commands.record import DatasetRecordConfig
from lerobot.rollout.actor import Actor
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.conversation import Conversation
from lerobot.rollout.interpolation import Interpolated
from lerobot.rollout.source import way_back
from lerobot.rollout.typed import TypedLines

RETURN_S = 3.0
SLOW_PART = 0.02
"""From this part of missed deadlines on, a person is told why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything is checked and rehearsed, and no device is connected.

    Attributes:
        config: of the command.
        robot: not connected.
        actor: the policy.
        acting: the policy at the rate of the control loop: the actor, with what lies between its actions.
        display: shows what happens; None if nobody looks.
        hooks: hook plugins.
    """

    config: RolloutConfig
    robot: Robot
    actor: Actor
    acting: Interpolated
    display: RerunDisplay | None
    hooks: Hooks

    @property
    def rate_hz(self) -> float:
        """Ticks of the control loop per second."""
        return self.config.fps * self.config.interpolation_multiplier

    @property
    def recorded(self) -> DatasetRecordConfig:
        """What is recorded, with its task; for strategies that record.

        Raises:
            ValueError: nothing is; the configuration is checked for that.
        """
        dataset = self.config.dataset
        if dataset is None:
            raise ValueError("a strategy that records runs without a dataset")
        return dataset.model_copy(update={"single_task": dataset.single_task or self.config.task})

    def fitting_teleoperator(self) -> Teleoperator | None:
        """Build who drives beside the policy; None if nobody does.

        Raises:
            FeatureMismatchError: it does not command what the robot takes.
        """
        if self.config.teleop is None:
            return None
        teleoperator: Teleoperator = self.config.teleop.build()
        self.steps_of(teleoperator)
        return teleoperator

    def steps_of(self, teleoperator: Teleoperator) -> ActionPipeline | None:
        """Build the steps between a teleoperator and the robot; None if there are none.

        Raises:
            FeatureMismatchError: what comes out of them is not what the robot takes.
        """
        steps = self.config.processors.teleop
        pipeline = teleoperation_pipeline(steps, teleoperator, self.robot)
        return pipeline if steps else None

    def loop(self, session: Session, source: CommandSource, sinks: Sequence[Sink] = ()) -> ControlLoop:
        """Make the control loop; the display is among its sinks."""
        return ControlLoop(
            session.robot,
            source,
            # After connecting: a calibration may have narrowed the ranges.
            SafetyGate.for_robot(session.robot, self.config.safety),
            fps=self.rate_hz,
            sinks=[*sinks, *([] if self.display is None else [self.display])],
            hooks=self.hooks,
            signals=session.signals,
        )

    @property
    def duration_s(self) -> float | None:
        """Longest duration of a run of the loop; None for no limit, and where a person starts and stops in it."""
        return None if self.config.interactive else self.config.duration or None

    def way_back(self, start: Mapping[str, Any], goal: Mapping[str, Any], seconds: float) -> list[dict[str, Any]]:
        """Give the commands from one measured pose to another."""
        limits, _ = derive_limits(self.robot.action_features, self.config.safety)
        return way_back(limits, start, goal, max(1, round(seconds * self.rate_hz)))

    def go_back(self, session: Session, start: Mapping[str, Any], sinks: Sequence[Sink] = ()) -> None:
        """Bring the joints back to where they were."""
        way = self.way_back(session.robot.get_observation(), start, RETURN_S)
        self.loop(session, SequenceSource(way), sinks).run()

    def conversation(self, stop: threading.Event) -> Conversation | None:
        """Let a person start and stop the policy with typed words, if that was asked for; None if not.

        Args:
            stop: set when the run shall end.
        """
        if not self.config.interactive:
            return None
        return Conversation(
            TypedLines(sys.stdin.fileno()),
            stop,
            self.acting,
            self.actor,
            ticks=round(self.config.duration * self.rate_hz) or None,
            way_home=lambda now, start: self.way_back(now, start, RETURN_S),
            say=lambda text: show(f"{text}\n"),
        )

    def report(self, timing: LoopReport) -> str:
        """Say how time was kept, and who waited for whom."""
        text = f"{timing}\n{self.actor.report}"
        missed = timing.overruns / max(1, timing.ticks + timing.overruns)
        slow = timing.stages["source"].max_ms > 1000 / timing.target_hz
        if missed > SLOW_PART and slow and self.config.inference.type == "sync":
            text += (
                f"The policy cannot keep {timing.target_hz:g} Hz: the loop waited up to "
                f"{timing.stages['source'].max_ms:.0f} ms for it. --inference.type=async predicts ahead.\n"
            )
        return text


class Strategy(Protocol):
    """What is done beside driving; built with its configuration."""

    def run(self, stage: Stage) -> int:
        """Connect, drive, and come to rest.

        Returns:
            0 at the end; 128 plus the signal's number when a signal ended the run.

        Raises:
            LeRobotError: what went wrong; the robot is in its safe state.
        """
        ...


def show(text: str) -> None:
    """Write to standard output."""
    # Whoever read the output has gone (`| head -1`): that is no failure of the robot.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text)
        sys.stdout.flush()
