"""The contract of robots."""

import time
from typing import Any, ClassVar

import pytest

from lerobot.core.protocols import Robot
from lerobot.core.protocols.ability import HasMotorSetup
from lerobot.core.testing.contracts.calibration import CalibratableContract
from lerobot.core.testing.contracts.values import middle_action, mismatches, outside
from lerobot.core.types import Observation, as_features


class RobotContract(CalibratableContract):
    """A robot without hardware. Supply the fixture `config` and the method `in_safe_state`."""

    optional: ClassVar[dict[str, str]] = {
        **CalibratableContract.optional,
        "cameras": "`observation_features` contains pictures",
        "setup_motors": "the robot has a method `setup_motors()`",
    }

    share: ClassVar[float] = 0.5
    """Where in its range a command lies that the suite sends; for velocities, whose middle is rest, choose another."""

    def in_safe_state(self, robot: Any) -> bool:
        """Whether the (virtual) hardware is in the declared safe state; ask the bus, not a flag of the driver."""
        pytest.fail(f"define in_safe_state(self, robot): how does one see that {robot} is in its safe state?")

    def use(self, device: Any) -> None:
        """Measure, then send the measured pose back."""
        device.get_observation()
        device.send_action(self._command(device))

    def _command(self, device: Any) -> dict[str, float]:
        return middle_action(as_features(device.action_features), self.share)

    # --- features ----------------------------------------------------------------------------------------------------

    def test_it_fulfils_the_protocol(self, device: Any) -> None:
        """The robot has every member of the `Robot` protocol.

        Repair: add the member that is missing; `lerobot.core.protocols.robot` says what it does.
        """
        missing = [name for name in dir(Robot) if not name.startswith("_") and not hasattr(type(device), name)]
        assert set(missing) <= {"name"}, missing
        assert isinstance(device, Robot)

    def test_features_are_known_before_connect(self, device: Any) -> None:
        """Features can be read without a connection, and a connection does not change them.

        Repair: derive them from the configuration alone.
        """
        before = as_features(device.observation_features), as_features(device.action_features)
        assert all(before), "observation and action features must not be empty"
        device.connect()
        assert (as_features(device.observation_features), as_features(device.action_features)) == before

    def test_positions_declare_unit_and_range(self, device: Any) -> None:
        """Joint targets (`.pos`) say their unit and range; the safety gate takes its limits from them.

        Repair: declare `FeatureSpec(unit="deg", range=(low, high))` instead of `float`.
        """
        targets = {key: spec for key, spec in as_features(device.action_features).items() if key.endswith(".pos")}
        bare = [key for key, spec in targets.items() if spec.unit is None or spec.range is None]
        assert not bare

    # --- observing ---------------------------------------------------------------------------------------------------

    def test_observation_equals_its_features(self, connected: Any) -> None:
        """Keys, dtypes and shapes of an observation are exactly those of `observation_features`.

        Repair: the assertion names each key that differs; correct the features or the reading.
        """
        assert not mismatches(connected.get_observation(), as_features(connected.observation_features))

    def test_observation_times_are_measured(self, connected: Any) -> None:
        """Time stamps belong to declared keys, lie in the past and do not go back.

        Repair: stamp values with `time.monotonic()` when they are captured, or leave their stamps out.
        """
        first = connected.get_observation()
        second = connected.get_observation()
        now = time.monotonic()
        if not isinstance(first, Observation):
            return
        assert set(first.stamps) <= set(as_features(connected.observation_features))
        assert all(stamp.time_s <= now for stamp in second.stamps.values())
        assert all(second.stamps[key].time_s >= stamp.time_s for key, stamp in first.stamps.items())

    def test_cameras_are_in_the_features(self, connected: Any) -> None:
        """A robot with cameras gives a picture per camera, and its safe state does not depend on them.

        Repair: keep the cameras by name in the attribute `cameras`, bring the motors to the safe state without reading
        them, and let `disconnect` go on when one is gone. A robot that can carry cameras has one in the fixture
        `config` and declares `cameras`.
        """
        pictures = [key for key, spec in as_features(connected.observation_features).items() if spec.is_image]
        self.require("cameras", bool(pictures))
        connected.send_action(self._command(connected))
        for camera in connected.cameras.values():
            camera.disconnect()
        connected.enter_safe_state()
        assert self.in_safe_state(connected)
        connected.disconnect()
        assert not connected.is_connected

    # --- acting ------------------------------------------------------------------------------------------------------

    def test_send_action_returns_what_was_sent(self, connected: Any) -> None:
        """A command inside the limits is returned with every key, and the caller's mapping is not changed.

        Repair: return a new dict with the targets that were written to the motors.
        """
        features = as_features(connected.action_features)
        action = middle_action(features, self.share)
        given = dict(action)
        sent = connected.send_action(action)
        assert action == given, "the action that was passed in was changed"
        assert sent is not action, "return a new mapping"
        assert not mismatches(sent, features)

    @pytest.mark.parametrize("share", [-0.5, 0.0, 1.0, 1.5], ids=["below", "lowest", "highest", "above"])
    def test_what_is_sent_lies_inside_the_limits(self, connected: Any, share: float) -> None:
        """Targets at and beyond the ends of the range come back inside the range.

        Repair: clamp to the declared range before writing, and return the clamped values.
        """
        features = as_features(connected.action_features)
        sent = connected.send_action(middle_action(features, share))
        assert not outside(sent, features)

    # --- ending ------------------------------------------------------------------------------------------------------

    def test_safe_state_is_declared(self, device: Any) -> None:
        """`safe_state` says in words where the robot ends, before it is connected.

        Repair: set it, for instance `safe_state = "torque off"`.
        """
        assert isinstance(device.safe_state, str)
        assert device.safe_state

    def test_safe_state_is_reached(self, connected: Any) -> None:
        """`enter_safe_state` brings the hardware there from motion, and may be repeated.

        Repair: write the safe state to the motors each time it is called, without relying on remembered state.
        """
        connected.send_action(self._command(connected))
        assert not self.in_safe_state(connected), "in_safe_state() is true while the robot is driven"
        connected.enter_safe_state()
        assert self.in_safe_state(connected)
        connected.enter_safe_state()
        assert self.in_safe_state(connected)

    def test_motors_can_be_set_up(self, device: Any) -> None:
        """`setup_motors` exists where it is declared; `lerobot setup-motors` calls it.

        Repair: add the method, or do not declare `setup_motors`.
        """
        self.require("setup_motors", isinstance(device, HasMotorSetup))
