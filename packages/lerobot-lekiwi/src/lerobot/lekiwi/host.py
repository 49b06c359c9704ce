"""The host of a LeKiwi: what drives it for a client elsewhere."""

import logging
import math
from collections.abc import Mapping
from typing import Any, Protocol

from lerobot.core.errors import SafetyError
from lerobot.core.safety import GatedRobot
from lerobot.lekiwi.keys import BASE_FEATURES
from lerobot.lekiwi.robot import LeKiwi

log = logging.getLogger(__name__)


class Commander(Protocol):
    """Whoever commands from elsewhere."""

    def newest_command(self) -> Mapping[str, float] | None:
        """The newest command since the last call; None if none came."""
        ...

    def publish(self, observation: Mapping[str, Any]) -> None:
        """Hand an observation on, without waiting."""
        ...


class Host:
    """Drives a LeKiwi through its gate while commands come, one tick after the other.

    Until the first command the robot holds its pose. When commands stop coming, the base stops after `watchdog_s`, and
    after `SafetyConfig.stop_after_s` the robot is in its safe state. The next command takes it up where it then is.

    Args:
        robot: the robot, connected.
        gated: the same behind its gate.
        commander: where commands come from and observations go to.
        watchdog_s: the base stops when no command came for so long, seconds.
    """

    def __init__(self, robot: LeKiwi, gated: GatedRobot, commander: Commander, *, watchdog_s: float) -> None:
        self._gated = gated
        self._robot = robot
        self._commander = commander
        self._watchdog_s = watchdog_s
        self._targets: dict[str, float] = {}
        self._commanded_s: float | None = None
        """When the last command came; None while nobody commands."""
        self._came_s = -math.inf
        self._silent = self._released = False

    def tick(self) -> None:
        """Take the newest command, act on it or on its absence, and tell what is measured.

        Raises:
            DeviceError: the robot or a camera failed.
        """
        command = self._commander.newest_command()
        is_driven = self._commanded_s is not None
        # A robot that nobody drives gets no power, and forgets who asked, while a stop is latched.
        if command and (is_driven or not self._gated.is_stopped):
            now_s = self._gated.clock.now()
            # Whoever commanded before the robot was released falls silent first, and so notices.
            is_driven |= now_s - self._came_s > self._watchdog_s
            self._came_s = now_s
        try:
            observation = self._driven(command) if is_driven else self._robot.get_observation()
        except SafetyError as error:
            log.warning("%s The robot goes to its safe state until it is commanded anew.", error.what)
            self._release()
            observation = self._robot.get_observation()
        self._commander.publish(observation)

    def _driven(self, command: Mapping[str, float] | None) -> Mapping[str, Any]:
        gated = self._gated
        if self._commanded_s is None:
            self._take_up()
        observation = gated.observe()
        now_s = gated.clock.now()
        if command:
            # A joint that is left out keeps its target; a velocity that is left out is zero.
            kept = {key: target for key, target in self._targets.items() if key not in BASE_FEATURES}
            self._targets = {**self._measured(observation), **kept, **dict.fromkeys(BASE_FEATURES, 0.0), **command}
            self._commanded_s, self._silent = now_s, False
        if self._commanded_s is not None and now_s - self._commanded_s <= self._watchdog_s:
            gated.send(self._targets, command_time_s=self._commanded_s)
            return observation
        if not self._silent:
            log.warning("no command for %g s: the base stops", self._watchdog_s)
            self._silent = True
            gated.rest()
        gated.hold()
        return observation

    def _measured(self, observation: Mapping[str, Any]) -> dict[str, float]:
        return {key: observation[key] for key in self._robot.joint_features}

    def _take_up(self) -> None:
        log.info("commands come")
        if self._released:
            self._robot.bus.enable_torque()
            self._released = False
        self._gated.begin()

    def _release(self) -> None:
        self._commanded_s, self._targets, self._released = None, {}, True
        self._robot.enter_safe_state()
