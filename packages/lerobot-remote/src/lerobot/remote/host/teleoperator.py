"""The host of a teleoperator: every client gets what the person commands, and may let the person feel something."""

import threading
from functools import partial
from typing import Any

from lerobot.core.clock import MonotonicClock
from lerobot.core.protocols.teleoperator import HasTeleopEvents, Teleoperator
from lerobot.core.types import Action, Stamp, as_features
from lerobot.remote.host.audience import Audience
from lerobot.remote.host.client import Message
from lerobot.remote.newest import Newest
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.topics import ACTION, FEEDBACK, plain, values, write_stamp

MAX_FEEDBACK_AGE_S = 0.5


class TeleoperatorHost:
    """Serves a teleoperator; see `RobotHost` for who calls what.

    Args:
        teleoperator: connected while it is served.
        fps: readings per second.
    """

    def __init__(self, teleoperator: Teleoperator, *, fps: float) -> None:
        self._teleoperator = teleoperator
        self._fps = fps
        self._clock = MonotonicClock()
        self._audience = Audience()
        self._feedback: Newest[dict[str, Any]] = Newest("feedback", max_age_s=MAX_FEEDBACK_AGE_S)

    @property
    def description(self) -> Description:
        """What is served."""
        features = {
            "action": as_features(self._teleoperator.action_features),
            "feedback": as_features(self._teleoperator.feedback_features),
        }
        facts = {"fps": float(self._fps), "events": isinstance(self._teleoperator, HasTeleopEvents)}
        return Description("teleoperator", self._teleoperator.name, features, facts)

    def handle(self, link: Link) -> None:
        """Serve one connection."""
        self._audience.attend(link, self.description, self._take)

    def run(self, stop: threading.Event | None = None) -> None:
        """Serve until `stop` is set or a signal comes.

        Raises:
            DeviceError: the teleoperator failed.
        """
        felt = -1
        with self._teleoperator, self._audience:
            deadline_s = self._clock.now()
            while stop is None or not stop.is_set():
                newest = self._feedback.fresh()
                if newest is not None and newest.sequence > felt:
                    felt = newest.sequence
                    self._teleoperator.send_feedback(newest.value)
                action = self._teleoperator.get_action()
                told = self._told(action, self._clock.now())
                self._audience.publish(ACTION, partial(dict, told))
                deadline_s = max(deadline_s + 1 / self._fps, self._clock.now())
                self._clock.sleep_until(deadline_s)

    def _take(self, topic: str, message: Message) -> bool:
        if topic != FEEDBACK:
            return False
        self._feedback.put(values(message))
        return True

    def _told(self, action: Action, time_s: float) -> Message:
        told: dict[str, Any] = {
            "values": {key: plain(value) for key, value in action.items()},
            "stamp": write_stamp(Stamp(time_s)),
        }
        if isinstance(self._teleoperator, HasTeleopEvents):
            told["events"] = {name: bool(active) for name, active in self._teleoperator.get_teleop_events().items()}
        return told
