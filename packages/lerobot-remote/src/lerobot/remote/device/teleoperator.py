"""A teleoperator of another computer."""

from typing import Any

from lerobot.core.errors import DeviceError
from lerobot.core.types import Action, FeatureSpec
from lerobot.remote.config import RemoteTeleoperatorConfig
from lerobot.remote.device.base import RemoteDevice
from lerobot.remote.device.session import Message
from lerobot.remote.newest import Newest
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.topics import ACTION, FEEDBACK, fitting, plain


class RemoteTeleoperator(RemoteDevice):
    """Commands with what `lerobot serve --teleop.type=...` reads.

    An action older than `max_age_s` is not given out, so that a robot never follows a hand that may have moved on.

    Args:
        config: where the host is.
    """

    kind = "teleoperator"

    def __init__(self, config: RemoteTeleoperatorConfig) -> None:
        super().__init__(config, config.id)
        self.config = config
        self._actions: Newest[tuple[Action, dict[str, bool]]] = Newest(str(self), max_age_s=config.max_age_s)

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """As the teleoperator's host has them."""
        return self.features_of("action")

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """As the teleoperator's host has them."""
        return self.features_of("feedback")

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - the host calibrates
        """See `Calibratable.connect`."""
        with self._connecting():
            self._actions.clear()
            self._open()
            self._actions.wait(timeout_s=self.config.ready_timeout_s)
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: the host sees to it."""
        return True

    def calibrate(self) -> None:
        """Nothing: it is done at the host, with the teleoperator at hand."""

    def configure(self) -> None:
        """Nothing: the host does."""

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; the newest that came, without waiting.

        Raises:
            DeviceTimeoutError: nothing came for `max_age_s`.
            DeviceError: the connection is gone.
        """
        self.require_connected()
        return dict(self._actions.latest().value[0])

    def get_teleop_events(self) -> dict[str, bool]:
        """See `HasTeleopEvents`; none, if the teleoperator has no buttons."""
        self.require_connected()
        return dict(self._actions.latest().value[1])

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`."""
        session = self.session
        if self.feedback_features:
            session.send(FEEDBACK, values={key: plain(value) for key, value in feedback.items()})

    def _handle(self, topic: str, message: Message) -> None:
        if topic != ACTION:
            raise WireError(f"a teleoperator's host sent a message of the type {topic[:40]!r}")
        action = fitting(message, self.action_features)
        events = message.get("events", {})
        if not isinstance(events, dict) or not all(isinstance(active, bool) for active in events.values()):
            raise WireError(f"events of a teleoperator are {str(events)[:40]!r}")
        self._actions.put((action, events), self._stamp(message.get("stamp")).time_s)

    def _failed(self, failure: DeviceError) -> None:
        self._actions.fail(failure)
