"""A robot whose motors hang at another computer."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from lerobot.core.cameras import CameraSet
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.remote.config import RemoteRobotConfig
from lerobot.remote.device.base import RemoteDevice
from lerobot.remote.device.session import Message
from lerobot.remote.newest import Newest
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.topics import COMMAND, OBSERVATION, SENT, fitting, number, plain, values

log = logging.getLogger(__name__)

SAFE_S = 10.0
"""Longest time to wait for the host to say that the robot is in its safe state."""


class RemoteRobot(RemoteDevice):
    """Drives a robot through `lerobot serve --robot.type=...`.

    Observations come at the host's rate, and the newest is given out with its capture times on this computer's clock.
    Commands are sent at once; the host's own gate limits them too, and brings the robot to its safe state when they
    stop coming. A lost connection is not taken up again by itself, because the robot has gone to its safe state
    meanwhile: a new run engages it softly.

    Args:
        config: where the host is.
    """

    kind = "robot"

    def __init__(self, config: RemoteRobotConfig) -> None:
        super().__init__(config, config.id)
        self.config = config
        self.cameras = CameraSet({})
        """None: pictures come with the observation."""
        self._observations: Newest[Observation] = Newest(str(self), max_age_s=config.max_age_s)
        self._sent: Newest[tuple[int, Action]] = Newest(str(self), max_age_s=config.max_age_s)
        self._number = 0
        self.unconfirmed = 0
        """Commands of which the host did not say in time what the robot was sent."""

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """As the robot's host has them."""
        return self.features_of("observation")

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """As the robot's host has them, limits included."""
        return self.features_of("action")

    @property
    def safe_state(self) -> str:
        """As the robot's host has it."""
        return str(self.description.facts.get("safe_state", "as its host declares"))

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - the host calibrates
        """See `Calibratable.connect`; the host connects the robot meanwhile."""
        with self._connecting():
            self._observations.clear()
            self._sent.clear()
            self._open()
            self._observations.wait(timeout_s=self.config.ready_timeout_s)
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: the host sees to it."""
        return True

    def calibrate(self) -> None:
        """Nothing: it is done at the host, with the robot at hand."""
        log.info("%s is calibrated at its host: lerobot calibrate", self)

    def configure(self) -> None:
        """Nothing: the host does."""

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`; the newest that came, without waiting.

        Raises:
            DeviceTimeoutError: nothing came for `max_age_s`.
            DeviceError: the connection is gone, or the host ended it; says why.
        """
        self.require_connected()
        newest = self._observations.latest().value
        return Observation(newest, newest.stamps)

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`.

        Returns:
            What the host says the robot was sent. If it does not say so within `confirm_timeout_s`, what was asked
            for, inside its limits; see `unconfirmed`.
        """
        features = self.action_features
        self._number += 1
        stamp = self.session.clock.there(time.monotonic())
        wanted = {key: plain(value) for key, value in action.items()}
        self.session.send(COMMAND, values=wanted, number=self._number, stamp=stamp)
        sent = self._confirmed(self._number)
        if sent is not None:
            return sent
        self.unconfirmed += 1
        return {key: _inside(wanted[key], features[key]) for key in features.keys() & wanted.keys()}

    def enter_safe_state(self) -> None:
        """See `Robot.enter_safe_state`; the host does it, also by itself when the connection is gone.

        Raises:
            DeviceConnectionError: the host could not be asked whether the robot is in its safe state.
        """
        if self._session is None:
            return
        try:
            is_safe = self._session.leave(SAFE_S)
        except DeviceConnectionError as error:
            raise DeviceConnectionError(
                f"{self} could not be asked whether it is in its safe state: {error.what}",
                device=str(self),
                hint="Its host brings it there by itself when the connection is gone; go and see.",
            ) from error
        if not is_safe:
            raise DeviceError(f"the host of {self} could not bring it to its safe state.", device=str(self))

    # --- the session's thread ----------------------------------------------------------------------------------------

    def _handle(self, topic: str, message: Message) -> None:
        if topic == OBSERVATION:
            found = fitting(message, self.observation_features)
            stamps = message.get("stamps")
            if not isinstance(stamps, dict) or not stamps.keys() <= found.keys():
                raise WireError(f"stamps of an observation are {str(stamps)[:40]!r}")
            converted = {key: self._stamp(value) for key, value in stamps.items()}
            self._observations.put(Observation(found, converted), oldest(converted.values()))
        elif topic == SENT:
            self._sent.put((int(number(message, "number")), values(message)))
        else:
            raise WireError(f"a robot's host sent a message of the type {topic[:40]!r}")

    def _failed(self, failure: DeviceError) -> None:
        self._observations.fail(failure)
        self._sent.fail(failure)

    def _confirmed(self, command: int) -> Action | None:
        """What was sent for a command or one after it; None if nothing was said in time."""
        until_s, seen = time.monotonic() + self.config.confirm_timeout_s, -1
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                said = self._sent.wait(after=seen, timeout_s=left_s)
            except DeviceTimeoutError:
                return None
            if said.value[0] >= command:
                return dict(said.value[1])
            seen = said.sequence
        return None


def oldest(stamps: Iterable[Stamp]) -> float | None:
    """When the first of several things was measured; None if nobody says."""
    return min((stamp.time_s for stamp in stamps), default=None)


def _inside(value: Any, spec: FeatureSpec) -> Any:
    if spec.range is None or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return min(max(value, spec.range[0]), spec.range[1])
