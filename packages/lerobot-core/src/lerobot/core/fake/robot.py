"""The fake robot: six first-order joints, any number of cameras, and a log of everything it was told."""

import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from lerobot.core.cameras import CameraSet
from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.fake.calibration import (
    Calibration,
    factory_calibration,
    measured_calibration,
    read_calibration,
    write_calibration,
)
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.joints import RANGES, joint_features, middle
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp

TORQUE_ON, TORQUE_OFF, COMMAND = "torque on", "torque off", "command"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that happened to the motors.

    Attributes:
        time_s: when, on the robot's clock, in seconds.
        event: `"torque on"`, `"command"` or `"torque off"`.
        values: targets of a command, as sent to the motors.
    """

    time_s: float
    event: str
    values: Action = field(default_factory=dict)


class FakeRobot(DeviceBase):
    """An arm in this process.

    Joints approach their targets with one time constant and no faster than their declared velocity. Time is the
    clock's, so a test with its own clock sees the same motion each time. With torque off a joint stays where it is.

    Args:
        config: see `FakeRobotConfig`.
        prompter: who answers questions.
        clock: what time it is; the system's monotonic clock if None.

    Attributes:
        log: commands and torque changes, oldest first. After a safe end the last entry is `"torque off"`.
        cameras: the cameras by name.
        torque_enabled: whether the motors are powered.
    """

    name = "fake"
    safe_state = "torque off"

    def __init__(
        self, config: FakeRobotConfig, *, prompter: Prompter | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.clock: Clock = clock or MonotonicClock()
        self.cameras = CameraSet(config.cameras)
        self.log: deque[LogEntry] = deque(maxlen=config.log_length)
        self.torque_enabled = False
        self.calibration_path = calibration_path("robots", self.name, config.id, config.calibration_dir)
        self._joints = joint_features()
        self._position = {key: middle(key) for key in self._joints}
        self._goal = dict(self._position)
        self._moved_at = self.clock.now()
        self._held_calibration: Calibration = factory_calibration()
        self._observations = self._commands = 0

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`."""
        return dict(self._joints)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`, and one picture per camera."""
        return {**self._joints, **self.cameras.features}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            if self.config.connect_fails:
                raise DeviceConnectionError(
                    f"{self} does not answer.", device=str(self), hint="Set --robot.connect_fails=false."
                )
            stored = read_calibration(self.calibration_path)
            if stored is not None:
                self._held_calibration = stored
            if calibrate and not self.is_calibrated:
                self.calibrate()
            self.cameras.connect()
            self.configure()
            self._set_torque(True)

    @property
    def is_calibrated(self) -> bool:
        """Whether the motors hold what the calibration file says, or were never calibrated and need not be."""
        stored = read_calibration(self.calibration_path)
        return self.config.factory_calibrated if stored is None else stored == self._held_calibration

    def calibrate(self) -> None:
        """Measure the offsets, with torque off; virtual servos know theirs, so nobody is asked to move the arm."""
        self._set_torque(False)
        self._held_calibration = measured_calibration()
        write_calibration(self.calibration_path, self._held_calibration)
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def configure(self) -> None:
        """See `Calibratable.configure`; targets become the present position, so that torque moves nothing."""
        self._move()
        self._goal = dict(self._position)

    def setup_motors(self) -> None:
        """Give every motor its id, one after the other, as for a newly built arm."""
        for number, joint in reversed(list(enumerate(RANGES, start=1))):
            self.prompter.ask(f"Connect the controller board to the '{joint}' motor only and press enter.")
            self._held_calibration[joint]["id"] = number
            self.prompter.say(f"'{joint}' motor id set to {number}")

    def _close(self) -> None:
        if self.torque_enabled and self.config.disable_torque_on_disconnect:
            self._set_torque(False)
        self.cameras.disconnect()

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        self.require_connected()
        if self.config.read_delay_s:
            time.sleep(self.config.read_delay_s)
        self._count_or_fail("observation", self._observations, self.config.fails_after)
        self._observations += 1
        self._move()
        observation = Observation(self._position, dict.fromkeys(self._position, Stamp(self._moved_at)))
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; targets are held inside each joint's range, keys it does not know are left out."""
        self.require_connected()
        self._count_or_fail("command", self._commands, self.config.sends_fail_after)
        self._commands += 1
        self._move()
        sent = self._inside(action)
        self.log.append(LogEntry(self.clock.now(), COMMAND, dict(sent)))
        self._goal.update(sent)
        return sent

    def enter_safe_state(self) -> None:
        """Switch the motors off."""
        self._set_torque(False)

    def _inside(self, action: Mapping[str, float]) -> Action:
        sent: Action = {}
        for key, feature in self._joints.items():
            if key not in action:
                continue
            target = float(action[key])
            if not math.isfinite(target):
                raise DeviceError(f"{self}: target of {key} is {target}", device=str(self), expected="a finite number")
            low, high = feature.range or (target, target)
            sent[key] = min(max(target, low), high)
        return sent

    def _move(self) -> None:
        """Let the joints move for the time since the last call."""
        now = self.clock.now()
        elapsed, self._moved_at = max(0.0, now - self._moved_at), now
        if not self.torque_enabled:
            return
        share = 1.0 - math.exp(-elapsed / self.config.time_constant_s)
        for key, feature in self._joints.items():
            furthest = (feature.max_velocity or math.inf) * elapsed
            step = (self._goal[key] - self._position[key]) * share
            self._position[key] += min(max(step, -furthest), furthest)

    def _set_torque(self, enabled: bool) -> None:
        self._move()
        self.torque_enabled = enabled
        self.log.append(LogEntry(self.clock.now(), TORQUE_ON if enabled else TORQUE_OFF))

    def _count_or_fail(self, what: str, count: int, limit: int | None) -> None:
        if limit is not None and count >= limit:
            raise DeviceError(f"{self}: {what} {count} failed, as configured.", device=str(self))
