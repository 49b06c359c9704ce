"""A robot that is only driven through its gate: what the control loop and the host of a remote robot drive."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from lerobot.core.clock import Clock, clock_of
from lerobot.core.errors import DeviceError
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.freshness import Freshness, FreshnessMonitor
from lerobot.core.safety.gate import SafetyGate
from lerobot.core.safety.health import HealthMonitor
from lerobot.core.safety.interventions import intervention_log
from lerobot.core.safety.latch import RELEASE, STOPPED, Latch, stop_latch
from lerobot.core.safety.limits import derive_limits
from lerobot.core.safety.loops import tell_loops
from lerobot.core.safety.safe_end import safe_end
from lerobot.core.types import Observation, as_features

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SentCommand:
    """One command on its way to the robot; nothing in it changes afterwards.

    Attributes:
        requested: what was asked for; empty if it was no mapping.
        gated: what the gate let through.
        sent: what the robot says it sent.
        command_time_s: when the command was made, monotonic seconds.
        sent_time_s: when the robot had taken it.
        gate_s: how long the gate took, seconds.
        interventions: why the gate changed a value, by key; empty if it changed nothing.
        stopped: nothing may move, see `GatedRobot.is_stopped`: the robot was told to stay as it is.
    """

    requested: Mapping[str, Any]
    gated: Mapping[str, Any]
    sent: Mapping[str, Any]
    command_time_s: float
    sent_time_s: float
    gate_s: float
    interventions: Mapping[str, str]
    stopped: bool = False


def check_safety(robot: Robot, config: SafetyConfig) -> None:
    """Check that what a user set about safety fits a robot, before it is connected.

    Args:
        robot: need not be connected.
        config: limits of joints and motors, the arm's model and its workspace.

    Raises:
        ConfigError: it does not fit; says which flag.
        FeatureMismatchError: the gate cannot limit what the robot takes.
    """
    features = robot.action_features
    derive_limits(features, config)
    HealthMonitor.for_robot(robot, config)
    if config.model is not None:
        config.model.build(features=as_features(features), workspace=config.workspace)


class GatedRobot:
    """A connected robot with its gate and the freshness of what it measures.

    Whoever drives motors drives them through this. The first `observe` engages the gate from the measured pose; every
    command after it is limited, and its age and that of the measured state are checked. Where commands come from
    somewhere that may fall silent, `hold` is called in their place: it keeps the pose, brings velocities to zero, and
    ends the run once nothing came for `SafetyConfig.stop_after_s`.

    While a stop is latched, or a motor is over a limit of its temperature, current or load, every command is to stay as
    the robot is, whatever was asked for, and no silence ends the run. Afterwards the gate engages anew, softly from the
    measured pose.

    The host of a remote robot needs nothing else; every way out of the block ends in the robot's safe state:

        with GatedRobot.connected(robot, config.safety) as gated:
            while serving:
                publish(gated.observe())
                command = newest_command()
                if command is None:
                    gated.hold()
                else:
                    gated.send(command.action, command_time_s=command.time_s)

    Args:
        robot: connected robot.
        gate: its gate.
        freshness: how old observations may be; what is dead follows the gate's `stop_after_s` if None.
        clock: time; the robot's own if None, see `clock_of`.
        latch: the stop that holds it; that of this user on this computer if None.
        source: what commands it, for the safety log.
    """

    def __init__(
        self,
        robot: Robot,
        gate: SafetyGate,
        *,
        freshness: Freshness | None = None,
        clock: Clock | None = None,
        latch: Latch | None = None,
        source: str = "",
    ) -> None:
        self.robot = robot
        self.source = source
        self._log = intervention_log()
        self._health = HealthMonitor.for_robot(robot, gate.config)
        self.gate = gate
        self.latch = latch or stop_latch()
        self.clock: Clock = clock or clock_of(robot)
        self._freshness = freshness or Freshness(dead_after_s=gate.config.stop_after_s)
        self.begin()

    @classmethod
    @contextmanager
    def connected(cls, robot: Robot, config: SafetyConfig | None = None) -> Iterator[Self]:
        """Connect a robot, and bring it to its safe state on every way out of the block.

        Args:
            robot: need not be connected yet.
            config: limits, ramp and freshness.

        Raises:
            SafetyError: no limits can be derived, or the safe state could not be reached.
            DeviceError: the robot cannot be reached, or could not be released.
        """
        with safe_end(robot) as session:
            session.connect()
            # After connecting: a calibration may have narrowed the ranges.
            gated = cls(robot, SafetyGate.for_robot(robot, config))
            try:
                yield gated
            finally:
                gated.rest()

    def begin(self) -> None:
        """Begin a new run: counts are zero, and the next `observe` engages the gate anew."""
        self.gate.reset()
        self.monitor = FreshnessMonitor(self._freshness)
        self._state_time_s: float | None = None
        self._observation = Observation()
        self._held_by = ""
        if self._health is not None:
            self._health.begin()

    @property
    def is_stopped(self) -> bool:
        """Whether nothing may move now: a stop is latched, or a motor is too hot or works too hard."""
        return bool(self._hot) or self.latch.present is not None

    def observe(self) -> Observation:
        """Measure; entries that are old or repeated are marked stale.

        Raises:
            SafetyError: the robot does not measure a position, or is far outside its limits; or a motor stays too hot.
            DeviceError: the robot failed, or a source gave nothing new for too long.
        """
        with self._named():
            measured = self.robot.get_observation()
        observation = self.monitor.check(measured, self.clock.now())
        stamps = observation.stamps
        self._state_time_s = min((stamps[key].time_s for key in self.gate.limits if key in stamps), default=None)
        self._observation = observation
        if self._health is not None:
            with self._named():
                self._health.look(self.clock.now())
        if not self.gate.engaged:
            self.gate.engage(observation, self.clock.now())
        return observation

    def send(self, action: object, *, command_time_s: float | None = None) -> SentCommand:
        """Send a command as far as it is safe.

        Args:
            action: targets by key, in the robot's units; anything may come.
            command_time_s: when it was made, on this computer's monotonic clock; now if None.

        Raises:
            SafetyError: nothing was observed yet, or a joint got no usable command for too long.
            DeviceError: the robot failed, or does not say what it sent.
        """
        if command_time_s is None:
            command_time_s = self.clock.now()
        requested = dict(action) if isinstance(action, Mapping) else {}
        started = time.perf_counter()
        if reason := self._holding():
            gated = self.gate.hold(reason)
        else:
            gated = self.gate.check(
                action, self.clock.now(), command_time_s=command_time_s, state_time_s=self._state_time_s
            )
        gate_s = time.perf_counter() - started
        with self._named():
            sent = self.robot.send_action(dict(gated))
        sent_time_s = self.clock.now()
        if not isinstance(sent, Mapping):
            raise DeviceError(
                f"{self.robot}: send_action returned {sent!r}.",
                device=str(self.robot),
                expected="the command that was sent, by key",
            )
        self.gate.confirm(sent)
        if self.gate.last_interventions:
            self._log.add(self.source, requested, sent, self.gate.last_interventions)
        return SentCommand(
            requested,
            gated,
            dict(sent),
            command_time_s,
            sent_time_s,
            gate_s,
            self.gate.last_interventions,
            bool(reason),
        )

    def _holding(self) -> str:
        """Why nothing may move, told when it begins; at its end the gate engages anew."""
        stop = self.latch.present
        reason = STOPPED if stop is not None else self._hot
        if reason == self._held_by:
            return reason
        self._held_by = reason
        tell_loops(hold=stop is not None)
        if stop is not None:
            log.warning("%s: %s holds. When it is safe: %s", stop, self.robot, RELEASE)
        elif not reason:
            log.warning("%s moves again, softly from where it is", self.robot)
            self.gate.engage(self._observation, self.clock.now())
        return reason

    @property
    def _hot(self) -> str:
        return "" if self._health is None else self._health.reason

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let what fails in the block say that it was the robot."""
        try:
            yield
        except DeviceError as error:
            error.tell_role("robot", self.robot)
            raise

    def hold(self) -> SentCommand:
        """Go on without a command: positions stay, velocities go to zero, and too long a silence ends the run.

        Raises:
            SafetyError: no usable command came for `SafetyConfig.stop_after_s`.
            DeviceError: see `send`.
        """
        return self.send({})

    def rest(self) -> None:
        """Zero the commands that are velocities; never raises, because the safe state follows whatever happens here."""
        if self.gate.enabled and (rest := self.gate.rest()):
            try:
                # What follows, such as `hold`, must not go on from the velocity before.
                self.gate.confirm(self.robot.send_action(rest))
            except Exception:  # the error that ended the run must not be replaced by one of the same broken robot
                log.exception("%s did not take the command to stop", self.robot)
