"""Robots as programs for huggingface/lerobot drive them, behind the safety gate.

Such a program calls `get_observation` and `send_action` itself, in a loop of its own. What it sends goes through the
same gate as what a command sends: limits, a ramp from the measured pose, and a safe state at the end.
"""

import atexit
import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any, get_args, get_type_hints

from lerobot.compat.arms import arm
from lerobot.core.clock import clock_of
from lerobot.core.errors import NotConnectedError
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate, safe_end
from lerobot.core.types import Action, Observation
from lerobot.motors.arms.arm import Arm


class Driver:
    """Drives a connected robot for a program that keeps its own time.

    The first command, and the first after a pause of more than `SafetyConfig.stop_after_s`, begins a ramp from the
    measured pose. Positions that a command does not name are kept, velocities go to zero. Where the program has not
    measured lately, `command` does.

    Args:
        robot: what is driven; what it sends reaches the motors.
        safety: limits of the gate.
    """

    def __init__(self, robot: Any, safety: SafetyConfig) -> None:
        self.safety = safety
        self.gated = GatedRobot(robot, SafetyGate.for_robot(robot, safety), clock=clock_of(robot))
        self._positions = [key for key, limit in self.gated.gate.limits.items() if limit.kind != "velocity"]
        self._begin()

    def _begin(self) -> None:
        self.gated.begin()
        self._kept: dict[str, Any] = {}
        self._measured_s = self._sent_s = -math.inf

    def observe(self) -> Observation:
        """Measure; see `GatedRobot.observe`."""
        observation = self.gated.observe()
        self._measured_s = self.gated.clock.now()
        self._kept = self._kept or dict.fromkeys(self.gated.gate.limits, 0.0) | {
            key: observation[key] for key in self._positions if key in observation
        }
        return observation

    def command(self, action: Action) -> Action:
        """Send a command as far as it is safe, and return what was sent; see `GatedRobot.send`."""
        now = self.gated.clock.now()
        if -math.inf < self._sent_s < now - self.safety.stop_after_s:
            self._begin()
        if self._measured_s < now - self.safety.max_state_age_s / 2:
            self.observe()
        command = {**self._kept, **action}
        sent = self.gated.send(command).sent
        self._sent_s = self.gated.clock.now()
        self._kept |= {key: command[key] for key in self._positions}
        return dict(sent)


class GatedDriving:
    """Stands before a robot's class, see `gated`; what `Driver` says holds for its `send_action`.

    From `connect` to `disconnect` every signal that ends a program, such as SIGTERM or that of a closed terminal,
    interrupts it as Ctrl-C does; see `safe_end`. `disconnect` and the end of the program bring the robot to its safe
    state.

    Args:
        config: of the robot.
        safety: limits of the gate.
        **dependencies: what else the robot's class takes.
    """

    safety = SafetyConfig()
    has_gate_before_it = False
    """Whether a command drives it, through a gate of its own: then this class adds none, and ends nothing."""
    _driver: Driver | None = None
    _ending: ExitStack | None = None

    def __init__(self, config: Any, *, safety: SafetyConfig | None = None, **dependencies: Any) -> None:
        if safety is not None:
            self.safety = safety
        super().__init__(config, **dependencies)  # type: ignore[call-arg] # the robot's class is next

    @property
    def driver(self) -> Driver:
        """What drives the robot.

        Raises:
            NotConnectedError: it is not connected.
        """
        if self._driver is None:
            raise NotConnectedError(f"{self} is not connected.", device=str(self), hint="Call connect() first.")
        return self._driver

    @property
    def robot_type(self) -> str:
        """Name of the robot's class, as datasets have it."""
        return str(self.__getattribute__("name"))

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        robot = _Ungated(self)
        if self.has_gate_before_it or robot.is_connected:
            robot.connect(calibrate)
            return
        with ExitStack() as ending:
            session = ending.enter_context(safe_end(robot))
            session.connect(calibrate)
            self._driver = Driver(robot, self.safety)
            ending.callback(self._driver.gated.rest)
            self._ending = ending.pop_all()
        atexit.register(self.disconnect)

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        return _Ungated(self).get_observation() if self.has_gate_before_it else self.driver.observe()

    def send_action(self, action: Action) -> Action:
        """Send a command as far as it is safe, and return what was sent."""
        return _Ungated(self).send_action(action) if self.has_gate_before_it else self.driver.command(action)

    def disconnect(self) -> None:
        """Bring the robot to its safe state and release it; calling it again does nothing."""
        atexit.unregister(self.disconnect)
        ending, self._ending, self._driver = self._ending, None, None
        if ending is None:
            _Ungated(self).disconnect()
        else:
            ending.close()


class _Ungated:
    """The robot as its gate drives it: what `GatedDriving` stands before, and all else as it is."""

    def __init__(self, robot: GatedDriving) -> None:
        self._robot = robot
        self.clock = clock_of(robot)

    def __str__(self) -> str:
        return str(self._robot)

    def __getattr__(self, name: str) -> Any:
        return self._robot.__getattribute__(name)

    def connect(self, calibrate: bool = True) -> None:
        """Open."""
        super(GatedDriving, self._robot).connect(calibrate=calibrate)  # type: ignore[misc]

    def get_observation(self) -> Observation:
        """Measure."""
        return super(GatedDriving, self._robot).get_observation()  # type: ignore[misc,no-any-return]

    def send_action(self, action: Action) -> Action:
        """Send."""
        return super(GatedDriving, self._robot).send_action(action)  # type: ignore[misc,no-any-return]

    def disconnect(self) -> None:
        """Release."""
        super(GatedDriving, self._robot).disconnect()  # type: ignore[misc]


@cache
def gated(robot: Callable[..., Any]) -> Callable[..., Any]:
    """The class of a robot behind its gate; its objects are the robot, for `isinstance` too.

    Args:
        robot: a robot's class, or a function that makes one.
    """
    if not isinstance(robot, type):
        return Maker(robot)
    kind = arm(robot) if issubclass(robot, Arm) else robot
    doc = f"{robot.__doc__ or robot.__name__}\n\nEvery command goes through the safety gate; see `GatedDriving`."
    return type(robot.__name__, (GatedDriving, kind), {"__module__": robot.__module__, "__doc__": doc})


class Maker:
    """In the place of a robot's class: a function that makes the robot, behind its gate, of the class that fits.

    Args:
        make: the function; a class derived from this one has the first of the classes that it says it returns.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, config: Any, *, safety: SafetyConfig | None = None, **dependencies: Any) -> Any:
        """Make the robot; see `GatedDriving`."""
        robot = self._make(config, **dependencies)
        kind: Any = type(robot)
        robot.__class__ = gated(kind)
        robot.safety = safety or SafetyConfig()
        return robot

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a class derives from that names this as a base."""
        del bases
        returned = get_type_hints(self._make)["return"]
        return (gated((get_args(returned) or (returned,))[0]),)


def driver_of(robot: Any) -> Driver:
    """What drives a robot: its own driver, or a new one for a robot that programs and plugins made themselves."""
    return robot.driver if isinstance(robot, GatedDriving) else Driver(robot, SafetyConfig())
