"""A robot alone behind its gate: soft in, limited, watched, and safe on every way out."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moved_clock import MovedClock

from lerobot.core.errors import DeviceError, DeviceTimeoutError, SafetyError
from lerobot.core.safety import Freshness, GatedRobot, SafetyConfig, SafetyGate
from lerobot.core.types import FeatureSpec, Observation, Stamp

# low, high, rate per second and step, written down independently of the code under test
TABLE = {"pan.pos": (-90.0, 90.0, 180.0, 9.0), "x.vel": (-0.3, 0.3, 0.6, 0.06)}
CONFIG = SafetyConfig(max_step={"pan": 9.0}, ramp_s=0.5, stop_after_s=1.0, max_command_age_s=0.4)


class Rover:
    """A joint and a drive that do at once what they are told, and write it down."""

    safe_state = "motors off"
    action_features = {
        "pan.pos": FeatureSpec(unit="deg", range=(-90, 90), max_velocity=180),
        "x.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3)),
    }
    observation_features = action_features

    def __init__(self, pan=30.0):
        self.clock = MovedClock()
        self.pan = pan
        self.log = []
        self.is_connected = False
        self.answers = True

    def connect(self, calibrate=True):
        self.log.append("connect")
        self.is_connected = True

    def disconnect(self):
        self.log.append("disconnect")
        self.is_connected = False

    def enter_safe_state(self):
        self.log.append("safe")

    def get_observation(self):
        stamp = Stamp(self.clock.now())
        return Observation({"pan.pos": self.pan, "x.vel": 0.0}, {"pan.pos": stamp, "x.vel": stamp})

    def send_action(self, action):
        self.log.append(dict(action))
        if not self.answers:
            raise DeviceError("the bus is silent")
        self.pan = action["pan.pos"]
        return dict(action)

    @property
    def commands(self):
        return [entry for entry in self.log if isinstance(entry, dict)]


@pytest.fixture
def rover():
    return Rover()


def behind_gate(rover, config=CONFIG, **options):
    rover.is_connected = True
    return GatedRobot(rover, SafetyGate.for_robot(rover, config), **options)


# --- soft in ---------------------------------------------------------------------------------------------------------


def test_nothing_moves_before_the_pose_was_measured(rover):
    with pytest.raises(SafetyError, match="before the robot's pose was measured"):
        behind_gate(rover).send({"pan.pos": 0.0, "x.vel": 0.0})
    assert rover.commands == []


def test_engagement_ramps_from_the_measured_pose(rover):
    gated = behind_gate(rover)
    for _ in range(26):
        gated.observe()
        gated.send({"pan.pos": -15.0, "x.vel": 0.0})
        rover.clock.time += 0.02
    pans = [command["pan.pos"] for command in rover.commands]
    assert pans[0] == 30.0
    assert pans[1] > 29.0, "the first step is small, whatever is commanded"
    assert (pans[12] + pans[13]) / 2 == pytest.approx(7.5, abs=0.1), "half way of 45 degrees after half of the ramp"
    assert pans == sorted(pans, reverse=True)
    assert pans[25] == pytest.approx(-15.0)


def test_every_run_engages_anew(rover):
    gated = behind_gate(rover)
    gated.observe()
    gated.send({"pan.pos": 30.0, "x.vel": 0.0})
    rover.pan, rover.clock.time = -80.0, 200.0
    gated.begin()
    with pytest.raises(SafetyError, match="before"):
        gated.send({"pan.pos": 30.0, "x.vel": 0.0})
    gated.observe()
    assert gated.send({"pan.pos": 30.0, "x.vel": 0.0}).gated["pan.pos"] == -80.0


# --- limits, whatever comes ------------------------------------------------------------------------------------------

number = st.one_of(st.floats(allow_nan=True, allow_infinity=True, width=32), st.sampled_from([0.0, 1e9, None, "fast"]))
command = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"pan.pos": number, "x.vel": number, "unknown": number}),
    st.sampled_from([5, "stop", [1.0]]),
)
step = st.tuples(command, st.floats(0.0, 0.3), st.floats(-0.2, 3.0))


@given(st.lists(step, max_size=40))
def test_nothing_beyond_the_limits_is_sent_and_every_way_out_is_safe(steps):
    """Commands, pauses and delays of the network at will; None stands for a client that said nothing."""
    rover = Rover()
    times = []
    # Too long a silence ends the run.
    with contextlib.suppress(SafetyError), GatedRobot.connected(rover, CONFIG) as gated:
        for action, pause, delay in steps:
            gated.observe()
            made = rover.clock.now() - delay
            gated.hold() if action is None else gated.send(action, command_time_s=made)
            times.append(rover.clock.now())
            rover.clock.time += pause
    assert rover.log[0] == "connect"
    assert rover.log[-2:] == ["safe", "disconnect"]
    if rover.commands:
        assert rover.commands[-1]["x.vel"] == 0.0, "the last command stops the drive"
    previous = {"pan.pos": 30.0, "x.vel": 0.0}
    for sent, elapsed in zip(rover.commands, [0.0, *(b - a for a, b in itertools.pairwise(times))], strict=False):
        for key, (low, high, rate, largest) in TABLE.items():
            assert low <= sent[key] <= high
            assert abs(sent[key] - previous[key]) <= min(rate * elapsed, largest) + 1e-9
        previous = sent


# --- the watchdog ----------------------------------------------------------------------------------------------------


def test_a_client_that_falls_silent_stops_the_drive_and_then_the_run(rover):
    def host():
        with GatedRobot.connected(rover, CONFIG) as gated:
            for turn in range(1000):
                gated.observe()
                gated.send({"pan.pos": 40.0, "x.vel": 0.3}) if turn < 100 else gated.hold()
                rover.clock.time += 0.02

    with pytest.raises(SafetyError, match=r"no usable command for pan\.pos, x\.vel during 1 s \(missing\)"):
        host()
    assert rover.clock.now() == pytest.approx(100.0 + 100 * 0.02 + 1.0, abs=0.05)
    silent = rover.commands[100:]
    assert {sent["pan.pos"] for sent in silent} == {40.0}, "positions are held"
    assert [sent["x.vel"] for sent in silent[:6]] == pytest.approx([0.288, 0.276, 0.264, 0.252, 0.24, 0.228])
    assert silent[30]["x.vel"] == 0.0
    assert rover.log[-2:] == ["safe", "disconnect"]


def test_commands_that_arrive_late_are_not_followed(rover):
    gated = behind_gate(rover)
    for turn in range(20):
        gated.observe()
        age = 0.1 if turn < 10 else 0.5
        sent = gated.send({"pan.pos": -60.0, "x.vel": 0.0}, command_time_s=rover.clock.now() - age)
        rover.clock.time += 0.05
    assert sent.interventions == {"pan.pos": "stale command", "x.vel": "stale command"}
    assert len({command["pan.pos"] for command in rover.commands[10:]}) == 1
    assert sent.command_time_s == pytest.approx(rover.clock.now() - 0.55)


def test_a_pose_that_is_not_measured_any_more_is_not_driven(rover):
    gated = behind_gate(rover)
    gated.observe()
    gated.send({"pan.pos": 30.0, "x.vel": 0.0})
    rover.clock.time += 0.6
    assert gated.send({"pan.pos": 80.0, "x.vel": 0.0}).interventions["pan.pos"] == "stale state"


def test_a_dead_sensor_ends_the_run(rover):
    gated = behind_gate(rover, freshness=Freshness(dead_after_s=0.5))
    measured = rover.get_observation()
    rover.get_observation = lambda: measured
    gated.observe()
    rover.clock.time += 0.6
    with pytest.raises(DeviceTimeoutError, match=r"'pan\.pos' has given nothing new"):
        gated.observe()


# --- safe out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [None, ValueError("client"), ConnectionError("lost"), KeyboardInterrupt(), SystemExit(1)]
)
@pytest.mark.parametrize("when", ["before observing", "driving"])
def test_every_way_out_ends_in_the_safe_state(rover, error, when):
    def host():
        with GatedRobot.connected(rover, SafetyConfig(ramp_s=0)) as gated:
            if when == "driving":
                gated.observe()
                rover.clock.time += 0.1
                gated.send({"pan.pos": 30.0, "x.vel": 0.3})
            if error is not None:
                raise error

    if error is None:
        host()
    else:
        with pytest.raises(type(error)) as caught:
            host()
        assert caught.value is error
    assert rover.log[-2:] == ["safe", "disconnect"]
    if when == "driving":
        assert rover.commands[-2]["x.vel"] > 0
        assert rover.commands[-1]["x.vel"] == 0.0


def test_a_robot_that_takes_no_command_any_more_is_still_made_safe(rover):
    rover.answers = False

    def host():
        with GatedRobot.connected(rover, CONFIG) as gated:
            gated.observe()
            gated.send({"pan.pos": 30.0, "x.vel": 0.1})

    with pytest.raises(DeviceError, match="the bus is silent"):
        host()
    assert rover.log[-2:] == ["safe", "disconnect"]


def test_what_was_asked_let_through_and_sent_is_told(rover):
    rover.send_action = lambda action: {**action, "pan.pos": action["pan.pos"] / 2}
    gated = behind_gate(rover, SafetyConfig(ramp_s=0))
    gated.observe()
    rover.clock.time += 0.01
    told = gated.send({"pan.pos": 80.0, "x.vel": 0.0})
    assert told.requested == {"pan.pos": 80.0, "x.vel": 0.0}
    assert told.gated["pan.pos"] == pytest.approx(31.8)
    assert told.sent["pan.pos"] == pytest.approx(15.9)
    assert told.interventions == {"pan.pos": "velocity"}
    rover.clock.time += 0.01
    assert gated.send({"pan.pos": 80.0, "x.vel": 0.0}).gated["pan.pos"] == pytest.approx(17.7), (
        "counted from what was sent"
    )


@pytest.mark.parametrize("call", ["get_observation", "send_action"])
def test_a_robot_that_fails_is_named_with_its_role(call, monkeypatch):
    robot = Rover()
    gated = GatedRobot(robot, SafetyGate.for_robot(robot, CONFIG))
    gated.observe()

    def fail(*_):
        raise DeviceError("Port '/dev/ttyACM0' was lost.", device="/dev/ttyACM0")

    monkeypatch.setattr(robot, call, fail)
    with pytest.raises(DeviceError, match=r"^robot .*: Port '/dev/ttyACM0' was lost") as caught:
        gated.observe() if call == "get_observation" else gated.send({"pan.pos": 30.0})
    # Who hands it on once more adds nothing.
    text = str(caught.value)
    caught.value.tell_role("robot", robot)
    assert str(caught.value) == text
