"""The contract of teleoperators."""

from typing import Any, ClassVar

from lerobot.core.events import TeleopEvents
from lerobot.core.protocols import HasTeleopEvents, Teleoperator
from lerobot.core.testing.contracts.calibration import CalibratableContract
from lerobot.core.testing.contracts.values import middle_action, mismatches, outside
from lerobot.core.types import as_features


class TeleoperatorContract(CalibratableContract):
    """A teleoperator without hardware. Supply the fixture `config`."""

    optional: ClassVar[dict[str, str]] = {
        **CalibratableContract.optional,
        "events": "the teleoperator has `get_teleop_events()`",
        "feedback": "`feedback_features` is not empty",
    }

    def use(self, device: Any) -> None:
        """Read the command of this instant."""
        device.get_action()

    def test_it_fulfils_the_protocol(self, device: Any) -> None:
        """The teleoperator has every member of the `Teleoperator` protocol.

        Repair: add the member that is missing; `lerobot.core.protocols.teleoperator` says what it does.
        """
        missing = [name for name in dir(Teleoperator) if not name.startswith("_") and not hasattr(type(device), name)]
        assert set(missing) <= {"name"}, missing
        assert isinstance(device, Teleoperator)

    def test_features_are_known_before_connect(self, device: Any) -> None:
        """Features can be read without a connection, and a connection does not change them.

        Repair: derive them from the configuration alone.
        """
        before = as_features(device.action_features), as_features(device.feedback_features)
        assert before[0], "action features must not be empty"
        device.connect()
        assert (as_features(device.action_features), as_features(device.feedback_features)) == before

    def test_action_equals_its_features(self, connected: Any) -> None:
        """Keys and values of an action are those of `action_features`, each time it is read.

        Repair: the assertion names each key that differs; correct the features or the reading.
        """
        features = as_features(connected.action_features)
        for _ in range(3):
            action = connected.get_action()
            assert not mismatches(action, features)
            assert not outside(action, features)

    def test_an_action_is_the_callers_own(self, connected: Any) -> None:
        """Changing a returned action does not change the teleoperator's state.

        Repair: return a new dict from `get_action`.
        """
        connected.get_action().clear()
        assert not mismatches(connected.get_action(), as_features(connected.action_features))

    def test_feedback_is_taken(self, connected: Any) -> None:
        """Feedback with the declared keys is accepted and not changed.

        Repair: accept every key of `feedback_features`, or declare no feedback features.
        """
        features = as_features(connected.feedback_features)
        self.require("feedback", bool(features))
        feedback = middle_action(features)
        given = dict(feedback)
        connected.send_feedback(feedback)
        assert feedback == given

    def test_events_have_the_names_of_the_field(self, connected: Any) -> None:
        """Buttons are reported as a boolean per `TeleopEvents` value.

        Repair: map your buttons to the values of `lerobot.core.events.TeleopEvents`.
        """
        self.require("events", isinstance(connected, HasTeleopEvents))
        connected.get_action()
        events = connected.get_teleop_events()
        assert set(events) <= {event.value for event in TeleopEvents}
        assert all(isinstance(active, bool) for active in events.values())
