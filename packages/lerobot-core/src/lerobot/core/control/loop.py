"""The one control loop: teleoperation, recording, replay and policies all run in it."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from lerobot.core.clock import Clock
from lerobot.core.control.source import CommandSource, TimedCommandSource
from lerobot.core.control.timing import LoopReport, LoopTiming
from lerobot.core.errors import LeRobotError
from lerobot.core.hooks import Hooks
from lerobot.core.protocols.robot import HasFixedRate, Robot
from lerobot.core.safety.freshness import Freshness
from lerobot.core.safety.gate import SafetyGate
from lerobot.core.safety.gated_robot import GatedRobot
from lerobot.core.signals import StopSignals
from lerobot.core.tick import Sink, Tick
from lerobot.core.types import Action, Observation

ObservationProcessor = Callable[[Observation], Observation]
ActionProcessor = Callable[[Action, Observation], Action]

# Later than this part of a period, a deadline is given up and counted; the next one on the grid is taken.
LATE_PART = 0.5
# A hook that takes more than this part of a period is reported.
HOOK_SHARE = 0.1


class ControlLoop:
    """Observe, process, command, process, gate, send, hand on: at a fixed rate.

    The loop does not connect devices or bring them to rest; `lerobot.core.safety.safe_end` does, around it. Ticks
    start on a grid of absolute deadlines. A tick that is less than half a period late starts at once; deadlines missed
    by more are skipped and counted, and the phase stays on the grid. While the robot may not move (see
    `GatedRobot.is_stopped`) the source is not asked: it goes on where it was, and counts no ticks in between.

    Args:
        robot: connected robot.
        source: where commands come from.
        gate: the robot's safety gate; engaged anew by every `run`, from the first observation.
        fps: ticks per second.
        observation_processors: applied to each observation, in order.
        action_processors: applied to each command with the observation as the robot gave it, in order.
        sinks: receivers of ticks; an exception in one ends the run.
        hooks: hook plugins; they cannot end the run.
        signals: stop signals of the session; None to run without.
        freshness: how old observations may be; what is dead follows the gate's `stop_after_s` if None.
        clock: time; the robot's own if None, see `clock_of`.

    Raises:
        LeRobotError: the robot has a rate of its own, and it is another.
    """

    def __init__(
        self,
        robot: Robot,
        source: CommandSource,
        gate: SafetyGate,
        *,
        fps: float,
        observation_processors: Sequence[ObservationProcessor] = (),
        action_processors: Sequence[ActionProcessor] = (),
        sinks: Sequence[Sink] = (),
        hooks: Hooks | None = None,
        signals: StopSignals | None = None,
        freshness: Freshness | None = None,
        clock: Clock | None = None,
    ) -> None:
        if isinstance(robot, HasFixedRate) and not math.isclose(robot.control_hz, fps):
            raise LeRobotError(
                f"{robot} takes {robot.control_hz:g} commands a second, and {fps:g} were asked for.",
                hint=f"Give {robot.control_hz:g} as --fps, or where a dataset is recorded as --dataset.fps.",
            )
        self.gated = GatedRobot(robot, gate, freshness=freshness, clock=clock, source=type(source).__name__)
        self.clock = self.gated.clock
        self.source = source
        self.fps = fps
        self.observation_processors = tuple(observation_processors)
        self.action_processors = tuple(action_processors)
        self.sinks = tuple(sinks)
        self.hooks = hooks or Hooks()
        self.signals = signals
        self._begin()

    def _begin(self) -> None:
        self.timing = LoopTiming(self.fps)
        self.gated.begin()
        # Asked once: what a protocol asks of an object costs 12 us, a third of a tick (Xeon, CPython 3.11).
        self._timed = self.source if isinstance(self.source, TimedCommandSource) else None
        self._asked = 0
        self.hooks.budget_s = HOOK_SHARE / self.fps
        self._ended_by = "not run"

    def run(self, *, duration_s: float | None = None, stop: threading.Event | None = None) -> LoopReport:
        """Run until something ends it.

        Args:
            duration_s: length of the run; None for no limit.
            stop: ends the run after the present tick when set, from any thread.

        Returns:
            The report of this run; after an exception it is in `report`.

        Raises:
            SafetyError: the gate cannot guarantee its limits.
            DeviceError: the robot or a camera failed.
        """
        self._begin()
        graceful: AbstractContextManager[None] = self.signals.graceful() if self.signals else nullcontext()
        try:
            with graceful:
                self._ended_by = self._run(duration_s, stop or threading.Event())
        except BaseException as error:
            self._ended_by = f"error: {type(error).__name__}"
            raise
        finally:
            self.gated.rest()
        return self.report

    @property
    def report(self) -> LoopReport:
        """The report of the present or latest run."""
        return self.timing.report(
            self._ended_by,
            stale=dict(self.gated.monitor.stale),
            interventions={key: dict(reasons) for key, reasons in self.gated.gate.interventions.items()},
            slow_hooks=dict(self.hooks.slow),
            safety_enabled=self.gated.gate.enabled,
        )

    def _run(self, duration_s: float | None, stop: threading.Event) -> str:
        slots = math.inf if duration_s is None else round(duration_s * self.fps, 6)
        begin = self.clock.now()
        slot = 0
        while slot < slots:
            deadline = begin + slot / self.fps
            self.clock.sleep_until(deadline)
            if stop.is_set():
                return "stop"
            if self.signals is not None and self.signals.stop_requested:
                return "signal"
            if not self._tick(slot, deadline):
                return "source"
            slot += 1
            late = (self.clock.now() - begin) * self.fps - slot
            if late > LATE_PART:
                missed = math.ceil(late - LATE_PART)
                self.timing.overruns += missed
                slot += missed
        return "duration"

    def _tick(self, slot: int, deadline_s: float) -> bool:
        """One turn; False if the source has no more commands."""
        start_s = self.clock.now()
        index = self.timing.ticks
        watch = _Stopwatch(self.timing)
        raw = self.gated.observe()
        observation = self._processed(raw)
        watch.lap("observe")
        action, command_time_s = self._command(observation, raw)
        if action is None:
            return False
        self.timing.started(start_s, deadline_s)
        watch.lap("source")
        command = self.gated.send(action, command_time_s=command_time_s)
        watch.add("gate", command.gate_s)
        watch.lap("send")
        tick = Tick(
            index, slot, deadline_s, start_s, observation, command.requested, command.gated, command.sent,
            command.command_time_s, command.sent_time_s, command.interventions, self.gated.gate.enabled,
            command.stopped,
        )  # fmt: skip
        self.hooks.call("action_sent", requested=tick.requested, sent=tick.sent, time_s=tick.sent_time_s)
        for sink in self.sinks:
            sink.write(tick)
        self.hooks.call("control_tick", tick=tick)
        watch.lap("sinks")
        return True

    def _command(self, observation: Observation, raw: Observation) -> tuple[Action | None, float]:
        """What the source wants after the processors, None if it has no more; and when it was commanded."""
        if self.gated.is_stopped:
            return {}, self.clock.now()
        action = self.source.next_action(observation, self._asked)
        self._asked += 1
        command_time_s = self._timed.command_time_s if self._timed is not None else None
        if command_time_s is None:
            command_time_s = self.clock.now()
        if action is not None:
            for process in self.action_processors:
                action = process(action, raw)
        return action, command_time_s

    def _processed(self, raw: Observation) -> Observation:
        observation = raw
        for process in self.observation_processors:
            observation = process(observation)
        # A processor may return a plain dict; when things were measured must not get lost.
        if observation is not raw and not (isinstance(observation, Observation) and observation.stamps):
            observation = Observation(observation, {key: raw.stamps[key] for key in observation if key in raw.stamps})
        return observation


class _Stopwatch:
    """Splits a tick into stages; on the real clock also where tests replace the loop's."""

    def __init__(self, timing: LoopTiming) -> None:
        self._timing = timing
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._timing.stages[stage].add(now - self._last)
        self._last = now

    def add(self, stage: str, seconds: float) -> None:
        """Book a part of the present lap on a stage that was measured elsewhere."""
        self._timing.stages[stage].add(seconds)
        self._last += seconds
