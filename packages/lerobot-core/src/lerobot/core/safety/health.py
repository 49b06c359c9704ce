"""Motors that get too hot or work too hard: said, then held, then brought to the safe state."""

import logging
import math
from collections.abc import Mapping

from lerobot.core.errors import ConfigError, ConfigProblem, SafetyError
from lerobot.core.protocols.ability import ReportsHealth
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety.config import PerMotor, SafetyConfig

log = logging.getLogger(__name__)

PERIOD_S = 0.2
"""One motor is asked so often: six take their turns in 1.2 s, and a turn of the loop in twelve (60 Hz) lasts one
exchange longer (1 ms at 1 Mbit/s)."""

CONFIRMATIONS = 3
"""A motor is held back after so many readings over the limit: a start draws much current for a moment."""

NEAR = 0.9
"""From this share of a limit on a person is told, and below it a robot that was held may go on."""

UNITS = {"temperature": "°C", "current": "mA", "load": "%"}


class HealthMonitor:
    """Asks one motor after the other, and says while the robot has to hold.

    A motor over its limit is asked every second time, so that it is known soon whether it stays there.

    Args:
        robot: asked for the health of its motors.
        limits: by quantity, then by motor.
        patience_s: the run ends when a motor is over a limit for so long although the robot holds.
    """

    def __init__(self, robot: ReportsHealth, limits: Mapping[str, Mapping[str, float]], patience_s: float) -> None:
        self._robot = robot
        self._limits = limits
        self._patience_s = patience_s
        self._motors = [name for name in robot.monitored_motors if any(name in each for each in limits.values())]
        self.begin()

    @classmethod
    def for_robot(cls, robot: Robot, config: SafetyConfig) -> "HealthMonitor | None":
        """The monitor that a configuration asks for; None if it asks for none.

        Raises:
            ConfigError: the robot does not report what is limited, or has no motor of a name.
        """
        wanted = {
            "temperature": ("max_temperature_c", config.max_temperature_c),
            "current": ("max_current_ma", config.max_current_ma),
            "load": ("max_load_percent", config.max_load_percent),
        }
        given = {quantity: each for quantity, each in wanted.items() if each[1] is not None}
        if not given or not config.enabled:
            return None
        if not isinstance(robot, ReportsHealth):
            flag, limit = next(iter(given.values()))
            expected = f"a robot whose motors report it; {robot} does not"
            raise ConfigError([ConfigProblem(f"--safety.{flag}", str(limit), expected)])
        motors = list(robot.monitored_motors)
        limits = {quantity: _by_motor(flag, limit, motors) for quantity, (flag, limit) in given.items()}
        return cls(robot, limits, config.health_patience_s)

    def begin(self) -> None:
        """Begin a run: nothing is known."""
        self.reason = ""
        """Why the robot has to hold; empty if it need not."""
        self._turn = 0
        self._suspect = ""
        self._over: dict[str, int] = {}
        self._near: set[str] = set()
        self._next_s = -math.inf
        self._held_since_s = 0.0

    def look(self, now_s: float) -> None:
        """Ask a motor, if it is time.

        Args:
            now_s: monotonic time.

        Raises:
            SafetyError: holding did not help.
            DeviceError: the motor does not answer.
        """
        if now_s < self._next_s or not self._motors:
            return
        self._next_s = now_s + PERIOD_S
        self._turn += 1
        motor = self._suspect if self._suspect and self._turn % 2 else self._motors[self._turn % len(self._motors)]
        self._judge(motor, now_s)

    def _judge(self, motor: str, now_s: float) -> None:
        health = self._robot.motor_health(motor)
        measured = {"temperature": health.temperature_c, "current": health.current_ma, "load": health.load_percent}
        for quantity, limits in self._limits.items():
            value, limit = measured[quantity], limits.get(motor)
            if value is None or limit is None:
                continue
            name = f"{quantity} of {motor}"
            if value > limit:
                self._exceeded(name, motor, f"{value:.0f} {UNITS[quantity]}, limit {limit:g}", now_s)
            elif name in self._over and (value < NEAR * limit or self.reason != name):
                self._recovered(name)
            if value > NEAR * limit and name not in self._near:
                self._near.add(name)
                log.warning("%s: %.0f %s, and the limit is %g", name, value, UNITS[quantity], limit)

    def _exceeded(self, name: str, motor: str, what: str, now_s: float) -> None:
        self._over[name] = self._over.get(name, 0) + 1
        self._suspect = motor
        if not self.reason and self._over[name] >= CONFIRMATIONS:
            self.reason, self._held_since_s = name, now_s
            log.warning("%s: %s: the robot holds until it is below %.0f %% of that", name, what, 100 * NEAR)
        elif self.reason and now_s - self._held_since_s > self._patience_s:
            raise SafetyError(
                f"{name}: {what}, although the robot held for {self._patience_s:g} s.",
                hint="Let it rest, and look for what it pushes against.",
            )

    def _recovered(self, name: str) -> None:
        del self._over[name]
        self._near.discard(name)
        self._suspect = ""
        if self.reason == name:
            self.reason = ""


def _by_motor(flag: str, limit: PerMotor | None, motors: list[str]) -> dict[str, float]:
    if isinstance(limit, Mapping):
        for name in limit:
            if name not in motors:
                raise ConfigError([ConfigProblem(f"--safety.{flag}", name, f"one of {', '.join(motors)}")])
        return dict(limit)
    return {} if limit is None else dict.fromkeys(motors, limit)
