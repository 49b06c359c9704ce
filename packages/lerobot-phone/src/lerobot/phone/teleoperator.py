"""A phone as a teleoperator."""

import contextlib
import logging
from typing import Any

import numpy as np

from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.phone.config import PhoneConfig
from lerobot.phone.hebi import INPUTS, HebiPhone
from lerobot.phone.messages import BUTTONS
from lerobot.phone.rotations import Vector, to_vector
from lerobot.phone.server import PhoneServer, warn_of_network
from lerobot.phone.tracker import Reading
from lerobot.remote.newest import Newest

log = logging.getLogger(__name__)

ANDROID_INPUTS = ("move", "scale", *BUTTONS)


class Phone(PlainTeleoperator):
    """The pose of a phone from where the person took hold, and what is pressed.

    The first hold calibrates: the person holds the phone flat, its top edge forward. Without a fresh pose, because the
    page was closed, tracking was lost or the network is slow, nothing is enabled, and the arm holds.

    Args:
        config: see `PhoneConfig`.
        prompter: who is told the address of the page.
    """

    name = "phone"

    def __init__(self, config: PhoneConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._stack = contextlib.ExitStack()
        self._newest: Newest[Reading] = Newest(str(self), max_age_s=config.max_age_s)
        self._offset = np.array(config.camera_offset)
        self._inputs = INPUTS if config.phone_os == "ios" else ANDROID_INPUTS
        self._from_calibration: Vector | None = None
        self._taken_at = np.zeros(3)
        self._enabled = False

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Position (m) and rotation (axis times angle, rad) since taking hold, whether it is held, and the inputs."""
        return {
            "phone.pos": FeatureSpec("float32", (3,), ("x", "y", "z"), unit="m"),
            "phone.rot": FeatureSpec("float32", (3,), ("wx", "wy", "wz"), unit="rad"),
            "phone.enabled": FeatureSpec("bool"),
            **{f"phone.raw_inputs.{name}": FeatureSpec() for name in self._inputs},
        }

    def _open(self) -> None:
        self._from_calibration, self._enabled = None, False
        if self.config.phone_os == "ios":
            self.prompter.say("Open the app HEBI Mobile I/O on the phone.")
            self._newest = self._stack.enter_context(HebiPhone(self.config.max_age_s)).newest
            hold = "press and hold B1"
        else:
            server = self._stack.enter_context(PhoneServer(self.config, self._newest))
            self.prompter.say(f"Open on the phone: {server.url}")
            warn_of_network(self.config, server.port, self.prompter.say)
            hold = "touch and hold the page"
        self.prompter.say(f"Hold the phone flat, its top edge towards where the robot looks, and {hold}.")

    def _close(self) -> None:
        self._stack.close()

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; what is not fresh is not enabled.

        Raises:
            DeviceError: the app's library failed.
        """
        self.require_connected()
        timed = self._newest.fresh()
        if timed is None:
            self._enabled = False
            return self._action(np.zeros(3), np.zeros(3), dict.fromkeys(self._inputs, 0.0))
        reading = timed.value
        position = reading.position - reading.rotation @ self._offset
        if reading.enabled and not self._enabled:
            if self._from_calibration is None:
                self._from_calibration = reading.rotation.T
                log.info("phone: calibrated")
            self._taken_at = position
        self._enabled = reading.enabled
        if self._from_calibration is None:
            return self._action(np.zeros(3), np.zeros(3), reading.inputs)
        moved = self._from_calibration @ (position - self._taken_at)
        return self._action(moved, to_vector(self._from_calibration @ reading.rotation), reading.inputs)

    def _action(self, position: Vector, rotation: Vector, inputs: dict[str, float]) -> Action:
        action: dict[str, Any] = {
            "phone.pos": position.astype(np.float32),
            "phone.rot": rotation.astype(np.float32),
            "phone.enabled": self._enabled,
        }
        return action | {f"phone.raw_inputs.{name}": inputs[name] for name in self._inputs}
