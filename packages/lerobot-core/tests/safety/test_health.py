"""Motors that get too hot: said, held, let go on, or brought to the safe state; and how often they are asked."""

import pytest
from moved_clock import MovedClock

from lerobot.core.errors import ConfigError, SafetyError
from lerobot.core.protocols.ability import MotorHealth
from lerobot.core.safety import GatedRobot, Latch, SafetyConfig, SafetyGate
from lerobot.core.types import FeatureSpec, Observation

HZ = 50


class Arm:
    safe_state = "torque off"
    action_features = observation_features = {
        key: FeatureSpec(unit="deg", range=(-90, 90), max_velocity=180) for key in ("a.pos", "b.pos", "c.pos")
    }
    monitored_motors = ("a", "b", "c")

    def __init__(self):
        self.clock = MovedClock()
        self.values = dict.fromkeys(self.action_features, 0.0)
        self.health = dict.fromkeys(self.monitored_motors, MotorHealth(40.0, 100.0, 10.0))
        self.asked = []

    def motor_health(self, motor):
        self.asked.append((self.clock.time, motor))
        return self.health[motor]

    def get_observation(self):
        return Observation(self.values)

    def send_action(self, action):
        self.values |= action
        return dict(action)


def gated(arm, tmp_path, **limits):
    config = SafetyConfig(ramp_s=0, **limits)
    return GatedRobot(arm, SafetyGate.for_robot(arm, config), latch=Latch(tmp_path))


def run(robot, seconds, goal=45.0):
    """The reasons of each tick."""
    told = []
    for _ in range(round(seconds * HZ)):
        robot.observe()
        sent = robot.send(dict.fromkeys(robot.robot.action_features, goal))
        told.append(sent.interventions.get("a.pos") if sent.stopped else "")
        robot.clock.time += 1 / HZ
    return told


def test_without_a_limit_nothing_is_asked(tmp_path):
    arm = Arm()
    run(gated(arm, tmp_path), 2)
    assert arm.asked == []


def test_motors_take_turns_one_exchange_in_a_fifth_of_a_second(tmp_path):
    arm = Arm()
    run(gated(arm, tmp_path, max_temperature_c=70), 3)
    assert [motor for _, motor in arm.asked[:6]] == ["b", "c", "a", "b", "c", "a"]
    gaps = [after[0] - before[0] for before, after in zip(arm.asked, arm.asked[1:], strict=False)]
    assert min(gaps) >= 0.2 - 1e-9
    assert max(gaps) <= 0.2 + 1 / HZ + 1e-9


def test_only_limited_motors_are_asked(tmp_path):
    arm = Arm()
    run(gated(arm, tmp_path, max_current_ma={"c": 500}), 2)
    assert {motor for _, motor in arm.asked} == {"c"}


@pytest.mark.parametrize(
    ("limits", "health", "reason"),
    [
        ({"max_temperature_c": 70}, MotorHealth(temperature_c=71), "temperature of b"),
        ({"max_current_ma": 500}, MotorHealth(current_ma=501), "current of b"),
        ({"max_load_percent": {"b": 50}}, MotorHealth(load_percent=51), "load of b"),
    ],
)
def test_a_motor_over_its_limit_holds_the_robot_until_it_is_well_below(tmp_path, caplog, limits, health, reason):
    arm = Arm()
    robot = gated(arm, tmp_path, **limits)
    run(robot, 1)
    arm.health["b"] = health
    told = run(robot, 4, goal=-45.0)
    assert told[0] == ""
    assert told[-1] == reason
    held = dict(arm.values)
    run(robot, 0.5, goal=-90.0)
    assert arm.values == held
    assert caplog.text.count("the robot holds until") == 1
    arm.health["b"] = MotorHealth(*(0.95 * value if value else None for value in _values(health)))
    assert run(robot, 2)[-1] == reason, "not yet well below"
    arm.health["b"] = MotorHealth(40.0, 100.0, 10.0)
    assert run(robot, 3, goal=20.0)[-1] == ""
    assert arm.values["a.pos"] == pytest.approx(20.0)


def _values(health):
    return health.temperature_c, health.current_ma, health.load_percent


def test_a_moment_over_the_limit_is_no_reason(tmp_path):
    arm = Arm()
    robot = gated(arm, tmp_path, max_current_ma=500)
    for _ in range(5):
        arm.health["b"] = MotorHealth(current_ma=900.0)
        asked = len([each for each in arm.asked if each[1] == "b"])
        while len([each for each in arm.asked if each[1] == "b"]) < asked + 2:
            assert set(run(robot, 1 / HZ)) == {""}
        arm.health["b"] = MotorHealth(current_ma=100.0)
        assert set(run(robot, 1)) == {""}


def test_a_motor_that_stays_over_its_limit_ends_the_run(tmp_path):
    arm = Arm()
    robot = gated(arm, tmp_path, max_temperature_c=70, health_patience_s=2)
    arm.health["c"] = MotorHealth(temperature_c=80)
    with pytest.raises(SafetyError, match="temperature of c: 80 °C, limit 70, although the robot held for 2 s"):
        run(robot, 10)


def test_a_motor_near_its_limit_is_told_once(tmp_path, caplog):
    arm = Arm()
    arm.health["a"] = MotorHealth(temperature_c=65)
    run(gated(arm, tmp_path, max_temperature_c=70), 5)
    assert caplog.text.count("temperature of a: 65 °C, and the limit is 70") == 1


def test_a_robot_that_cannot_tell_and_a_motor_that_is_not_there_are_refused(tmp_path):
    class Silent:
        action_features = Arm.action_features
        observation_features = Arm.action_features

        def __str__(self):
            return "silent_arm"

    with pytest.raises(ConfigError, match=r"--safety.max_temperature_c: got '70.0', expected a robot whose motors"):
        GatedRobot(Silent(), SafetyGate.for_robot(Silent(), SafetyConfig(max_temperature_c=70)))
    with pytest.raises(ConfigError, match=r"--safety.max_current_ma: got 'd', expected one of a, b, c"):
        gated(Arm(), tmp_path, max_current_ma={"d": 1})
