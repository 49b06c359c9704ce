"""Reachy 2 as a robot."""

import logging
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lerobot.core.cameras import CameraSet
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.reachy2.config import Reachy2Config
from lerobot.reachy2.joints import BASE_FEATURES, BASE_RANGES
from lerobot.reachy2.watch import Watch

if TYPE_CHECKING:  # gRPC is loaded by connecting
    from lerobot.reachy2.body import Reading

log = logging.getLogger(__name__)

CAMERA_TEST_S = 1.0
"""How long pictures are counted when the robot connects."""
# Percent of what the motors can, as in the vendor's SDK: nothing jumps while they are switched on.
SPEED_AT_FIRST, SPEED_AFTERWARDS = 1, 25
ON_WITHIN_S = 2.0
LET_DOWN_S = 3.0


class Reachy2(DeviceBase):
    """Follows positions of its joints, and velocities of its mobile base.

    What is measured is asked for a hundred times a second by a thread of its own, which is also how a lost robot is
    noticed: what is older than `Reachy2Config.max_age_s` is an error. Commands are answered before the next is sent, so
    none waits in a queue.

    Args:
        config: see `Reachy2Config`.
        prompter: who answers questions; nobody is asked.
    """

    name = "reachy2"

    def __init__(self, config: Reachy2Config, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.cameras = CameraSet(config.all_cameras)
        self._watch = Watch(str(self), config, with_commanded_base=config.use_external_commands)
        self._ranges = {joint.key: joint.range for joint in config.joints}

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets in degrees, such as `r_elbow_pitch.pos`, and the velocity of the base: `BASE_FEATURES`."""
        base = BASE_FEATURES if self.config.with_mobile_base else {}
        return {**{joint.key: joint.feature for joint in self.config.joints}, **base}

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """What is commanded, measured, and one image per camera."""
        return {**self.action_features, **self.cameras.features}

    @property
    def safe_state(self) -> str:
        """The base brakes and the joints hold their pose; a robot that another program commands is left to it."""
        if not self._commands:
            return "left to the program that commands it"
        return "base braked, joints hold their pose"

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - it needs none
        """See `Calibratable.connect`; the motors are switched on, slowly, where nobody else commands the robot.

        Raises:
            DeviceConnectionError: it is not there, or lacks a part or a camera.
            DeviceError: a motor did not switch on.
        """
        with self._connecting():
            self._watch.start()
            self.cameras.connect(CAMERA_TEST_S)
            if self._commands:
                self._switch_on()
            self.configure()

    def _switch_on(self) -> None:
        body = self._watch.body
        body.limit_speed(SPEED_AT_FIRST)
        body.switch(on=True)
        # Goals may be left from before the motors were switched off.
        body.send(self._joints_of(self._watch.measured_from_now().present))
        until_s = time.monotonic() + ON_WITHIN_S
        while compliant := self._watch.measured_from_now().compliant:
            if time.monotonic() > until_s:
                raise DeviceError(
                    f"{', '.join(sorted(compliant))} of {self} did not switch on within {ON_WITHIN_S:g} s.",
                    device=str(self),
                    hint="Release the emergency stop, and look at the robot's dashboard.",
                )
        body.limit_speed(SPEED_AFTERWARDS)

    @property
    def is_calibrated(self) -> bool:
        """Always: it knows its joints."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """Lift the limits of speed and torque that another program may have left; the gate limits what is commanded."""
        if self._commands:
            self._watch.body.lift_limits()

    def enter_safe_state(self) -> None:
        """Brake the base and tell the joints to stay where they are; see `safe_state`.

        Raises:
            DeviceError: the robot does not answer. By itself it holds the last pose it was sent, and its base stops.
        """
        if not self._commands or not self._watch.is_open:
            return
        try:
            if self.config.with_mobile_base:
                self._watch.body.brake()
        finally:
            self._watch.body.send(self._joints_of(self._watch.body.read(with_commanded_base=False).present))

    def _close(self) -> None:
        self.cameras.disconnect()
        try:
            if self._watch.is_open and self.config.disable_torque_on_disconnect and self._commands:
                self._watch.body.let_down(LET_DOWN_S)
        except DeviceError as error:
            log.error("%s: its motors could not be switched off: %s", self, error)
        finally:
            self._watch.stop()

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`; the newest that was measured, stamped with when it was asked for.

        Raises:
            DeviceTimeoutError: it is older than `Reachy2Config.max_age_s`.
            DeviceError: a camera stopped.
        """
        self.require_connected()
        newest = self._watch.latest()
        values = {key: newest.value.present[key] for key in self.action_features}
        observation = Observation(values, dict.fromkeys(values, Stamp(newest.time_s, newest.sequence)))
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; a velocity that is left out is zero, a joint that is left out keeps its target.

        Returns:
            What was sent, inside the limits that the robot has and those declared; with `use_external_commands`, what
            the other program commands.

        Raises:
            FeatureMismatchError: a key is not the robot's, or a value no finite number; nothing was sent.
            DeviceError: the robot does not answer, or a joint is switched off; nothing more was sent.
        """
        self.require_connected()
        if not self._commands:
            return dict(self._watch.latest().value.goal)
        wanted = self._checked(action)
        reading = self._watch.latest().value
        if reading.compliant:
            raise DeviceError(
                f"{', '.join(sorted(reading.compliant))} of {self} is switched off.",
                device=str(self),
                hint="If it was the emergency stop: connect anew once it is released.",
            )
        goals = {key: self._inside(key, value, reading) for key, value in wanted.items() if key not in BASE_FEATURES}
        if goals:
            self._watch.body.send(goals)
        velocity: dict[str, float] = {}
        if self.config.with_mobile_base:
            velocity = {key: _clamp(wanted.get(key, 0.0), span) for key, span in BASE_RANGES.items()}
            self._watch.body.drive(velocity)
        return {**goals, **velocity}

    def _checked(self, action: Action) -> dict[str, float]:
        features = self.action_features
        if odd := [key for key in action if key not in features]:
            raise FeatureMismatchError(
                f"{self} has no {', '.join(odd)}", keys=odd, expected=f"some of {', '.join(features)}"
            )
        wanted = {key: float(value) for key, value in action.items()}
        if odd := [key for key, value in wanted.items() if not math.isfinite(value)]:
            raise FeatureMismatchError(f"{odd[0]}: {wanted[odd[0]]} is no target", keys=odd, expected="a finite number")
        return wanted

    def _inside(self, key: str, value: float, reading: "Reading") -> float:
        """The target nearest to a wanted one within every limit there is.

        Raises:
            DeviceError: what the robot says about the joint leaves nothing.
        """
        low, high = self._ranges[key]
        own_low, own_high = reading.limits.get(key, (low, high))
        low, high = max(low, own_low), min(high, own_high)
        if low > high:
            raise DeviceError(f"{self} limits {key} to {own_low:.4g} to {own_high:.4g}.", device=str(self))
        if (cap := self.config.max_relative_target) is not None:
            present = reading.present[key]
            value = _clamp(value, (present - cap, present + cap))
        return _clamp(value, (low, high))

    # --- shared ------------------------------------------------------------------------------------------------------

    @property
    def _commands(self) -> bool:
        """Whether it is commanded from here."""
        return not self.config.use_external_commands

    def _joints_of(self, values: Mapping[str, float]) -> dict[str, float]:
        return {key: values[key] for key in self._ranges}


def _clamp(value: float, span: tuple[float, float]) -> float:
    low, high = span
    return min(max(value, low), high)
