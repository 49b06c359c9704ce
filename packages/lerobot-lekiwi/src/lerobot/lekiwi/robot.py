"""A LeKiwi on its own computer."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from lerobot.core.errors import DeviceError
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.lekiwi.base import BodyVelocity
from lerobot.lekiwi.keys import BASE_FEATURES
from lerobot.lekiwi.tables import LEKIWI
from lerobot.motors.arms.servo_arm import ServoFollower
from lerobot.motors.errors import MotorValueError

log = logging.getLogger(__name__)


class LeKiwi(ServoFollower):
    """An arm on three wheels that follows positions of its joints and velocities of its body; see `FollowerArm`.

    Velocities that the wheels cannot reach are scaled, with their direction kept: `send_action` returns what is left.
    """

    name = "lekiwi"
    table = LEKIWI

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `arm_<joint>.pos`, and the velocity of the body: `x.vel`, `y.vel`, `theta.vel`."""
        return {**self.joint_features, **BASE_FEATURES}

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """What is commanded, measured, and one image per camera."""
        return {**self.action_features, **self.cameras.features}

    @property
    def safe_state(self) -> str:
        """The wheels stand still; the arm has no torque, or holds its pose where torque shall stay on."""
        return f"base stopped, arm {super().safe_state}"

    def setup_order(self) -> list[str]:
        """Motors in the order they are set up in: the arm from the gripper on, then the wheels."""
        return [*self.positioned[::-1], *self.table.wheels[::-1]]

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def measure(self) -> Observation:
        """Positions of the joints and velocity of the body, with the times they were measured at."""
        observation = super().measure()
        begin = time.monotonic()
        speeds = self.bus.sync_read("Present_Velocity", self.table.wheels, num_retry=self._reads)
        stamp = Stamp((begin + time.monotonic()) / 2)
        body = BodyVelocity.from_wheels(speeds)
        for key, value in _as_values(body).items():
            observation[key] = value
            observation.stamps[key] = stamp
        return observation

    def send_action(self, action: Action) -> Action:
        """See `FollowerArm.send_action`; a velocity that is left out is zero.

        Raises:
            MotorValueError: a velocity is no finite number; nothing was sent.
        """
        body = _body(action).reachable()
        sent = super().send_action(action)
        self._drive(body)
        return {**sent, **_as_values(body)}

    def stop_base(self) -> None:
        """Stop the wheels; the arm is left as it is."""
        self.require_connected()
        self._drive(BodyVelocity())

    def _drive(self, body: BodyVelocity) -> None:
        wheels = {wheel: round(speed) for wheel, speed in body.wheels().items()}
        self.bus.sync_write("Goal_Velocity", wheels)

    # --- ending ------------------------------------------------------------------------------------------------------

    def enter_safe_state(self) -> None:
        """Stop the wheels, then see `FollowerArm.enter_safe_state`."""
        try:
            self._drive(BodyVelocity())
        finally:
            super().enter_safe_state()

    def _close_bus(self, *, disable_torque: bool) -> None:
        try:
            if self.bus.is_connected:
                self._drive(BodyVelocity())
        except DeviceError as error:
            log.error("%s: the wheels could not be told to stop: %s", self, error)
        finally:
            super()._close_bus(disable_torque=disable_torque)


def _body(action: Mapping[str, Any]) -> BodyVelocity:
    values = {key: float(action.get(key, 0.0)) for key in BASE_FEATURES}
    for key, value in values.items():
        if not math.isfinite(value):
            raise MotorValueError(f"{key}: {value} is no velocity.", expected="a finite number")
    return BodyVelocity(values["x.vel"], values["y.vel"], values["theta.vel"])


def _as_values(body: BodyVelocity) -> dict[str, float]:
    return {"x.vel": body.x, "y.vel": body.y, "theta.vel": body.theta}
