"""Robots as programs for huggingface/lerobot drive them, behind the safety gate.

Such a program calls `get_observation` and `send_action` itself, in a loop of its own. What it sends goes through the
same gate as what a command sends: limits, a ramp from the measured pose, and a safe state at the end.
"""

import atexit
import math
from functools import cache
from typing import Any

from lerobot.core.clock import clock_of
from lerobot.core.errors import NotConnectedError
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate
from lerobot.core.types import Action, Observation


class GatedDriving:
    """Stands before a robot's class, see `gated`.

    The first command after `connect`, or after a pause of more than `SafetyConfig.stop_after_s`, begins a ramp from
    the measured pose. Positions that a command does not name are kept, velocities go to zero. Where the program has
    not measured lately, `send_action` does. `disconnect` and the end of the program bring the robot to its safe state.

    Args:
        config: of the robot.
        safety: limits of the gate.
        **dependencies: what else the robot's class takes.
    """

    def __init__(self, config: Any, *, safety: SafetyConfig | None = None, **dependencies: Any) -> None:
        self.safety = safety or SafetyConfig()
        self._driven: GatedRobot | None = None
        self._kept: dict[str, Any] = {}
        super().__init__(config, **dependencies)  # type: ignore[call-arg] # the robot's class is next

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        super().connect(calibrate=calibrate)  # type: ignore[misc]
        ungated: Any = _Ungated(self)
        self._driven = GatedRobot(ungated, SafetyGate.for_robot(ungated, self.safety), clock=clock_of(self))
        self._begin()
        atexit.register(self.disconnect)

    def _begin(self) -> None:
        if self._driven is not None:
            self._driven.begin()
        self._kept = {}
        self._measured_s = self._sent_s = -math.inf

    @property
    def robot_type(self) -> str:
        """Name of the robot's class, as datasets have it."""
        return str(self.__getattribute__("name"))

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        driven = self._connected()
        observation = driven.observe()
        self._measured_s = driven.clock.now()
        if not self._kept:
            self._kept = {key: observation.get(key, 0.0) for key in driven.gate.limits}
        return observation

    def send_action(self, action: Action) -> Action:
        """Send a command as far as it is safe, and return what was sent."""
        driven = self._connected()
        now = driven.clock.now()
        if -math.inf < self._sent_s < now - self.safety.stop_after_s:
            self._begin()
        if self._measured_s < now - self.safety.max_state_age_s / 2:
            self.get_observation()
        command = {**self._kept, **action}
        sent = driven.send(command).sent
        self._sent_s = driven.clock.now()
        moving = {key for key, limit in driven.gate.limits.items() if limit.kind == "velocity"}
        self._kept |= {key: command[key] for key in self._kept if key not in moving}
        return dict(sent)

    def disconnect(self) -> None:
        """Bring the robot to its safe state and release it; calling it again does nothing."""
        atexit.unregister(self.disconnect)
        driven, self._driven = self._driven, None
        try:
            if driven is not None:
                driven.rest()
                driven.robot.enter_safe_state()
        finally:
            super().disconnect()  # type: ignore[misc]

    def _connected(self) -> GatedRobot:
        if self._driven is None:
            raise NotConnectedError(f"{self} is not connected.", device=str(self), hint="Call connect() first.")
        return self._driven


class _Ungated:
    """The robot as its gate drives it: what `GatedDriving` stands before, and all else as it is."""

    def __init__(self, robot: GatedDriving) -> None:
        self._robot = robot

    def __str__(self) -> str:
        return str(self._robot)

    def __getattr__(self, name: str) -> Any:
        return self._robot.__getattribute__(name)

    def get_observation(self) -> Any:
        """Measure."""
        return super(GatedDriving, self._robot).get_observation()  # type: ignore[misc]

    def send_action(self, action: Action) -> Any:
        """Send."""
        return super(GatedDriving, self._robot).send_action(action)  # type: ignore[misc]


@cache
def gated(robot: type) -> type:
    """The class of a robot behind its gate; its objects are the robot, for `isinstance` too."""
    doc = f"{robot.__doc__ or robot.__name__}\n\nEvery command goes through the safety gate; see `GatedDriving`."
    return type(robot.__name__, (GatedDriving, robot), {"__module__": robot.__module__, "__doc__": doc})
