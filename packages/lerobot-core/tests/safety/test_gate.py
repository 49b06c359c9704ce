"""The gate: what it lets through, what it holds, when it stops."""

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import SafetyError
from lerobot.core.safety import Limit, SafetyConfig, SafetyGate, as_number, derive_limits
from lerobot.core.types import FeatureSpec

FEATURES = {
    "pan": FeatureSpec(unit="deg", range=(-100, 100), max_velocity=60),
    "grip": FeatureSpec(unit="percent", range=(0, 100), max_velocity=100),
}
PERIOD = 1 / 60


def make(features=FEATURES, measured=None, **config):
    settings = SafetyConfig(**{"ramp_s": 0, **config})
    gate = SafetyGate(derive_limits(features, settings)[0], settings)
    gate.engage(measured or {"pan": 0.0, "grip": 50.0}, 0.0)
    return gate


def test_a_safe_command_passes_unchanged():
    gate = make()
    assert gate.check({"pan": 0.5, "grip": 50.5}, PERIOD) == {"pan": 0.5, "grip": 50.5}
    assert gate.interventions == {}


def test_velocity_is_limited_by_the_real_time_that_passed():
    gate = make()
    assert gate.check({"pan": 90, "grip": 50}, PERIOD)["pan"] == pytest.approx(60 * PERIOD)
    assert gate.check({"pan": 90, "grip": 50}, 3 * PERIOD)["pan"] == pytest.approx(60 * 3 * PERIOD)
    assert gate.interventions == {"pan": {"velocity": 2}}


def test_a_stall_is_not_made_up_for_in_one_step():
    gate = make()
    assert gate.check({"pan": 90, "grip": 50}, 1.5)["pan"] == pytest.approx(6.0)
    assert gate.interventions == {"pan": {"step": 1}}


def test_positions_end_at_their_limits():
    gate = make(measured={"pan": 99.9, "grip": 50})
    assert gate.check({"pan": 1e300, "grip": 50}, PERIOD)["pan"] == 100
    assert gate.interventions == {"pan": {"range": 1}}


def test_missing_and_unusable_values_hold_the_joint():
    gate = make()
    gate.check({"pan": 0.5, "grip": 50}, PERIOD)
    assert gate.check({"grip": "full"}, 2 * PERIOD) == {"pan": 0.5, "grip": 50}
    assert gate.last_interventions == {"pan": "missing", "grip": "not a number"}


def test_unknown_keys_are_left_out_and_counted():
    gate = make()
    assert gate.check({"pan": 0, "grip": 50, "nose": 3}, PERIOD) == {"pan": 0, "grip": 50}
    assert gate.interventions == {"(unknown)": {"unknown key": 1}}


@pytest.mark.parametrize("times", [{"command_time_s": 0.0}, {"state_time_s": 0.0}, {"command_time_s": math.nan}])
def test_old_commands_and_old_states_hold(times):
    gate = make(max_command_age_s=0.2, max_state_age_s=0.2)
    assert gate.check({"pan": 1, "grip": 51}, 0.3, **times) == {"pan": 0, "grip": 50}
    reason = "stale state" if "state_time_s" in times else "stale command"
    assert gate.last_interventions == {"pan": reason, "grip": reason}


@pytest.mark.parametrize("times", [{"command_time_s": 3.0}, {"state_time_s": 3.0}])
def test_times_of_another_clock_are_not_fresh(times):
    gate = make(max_command_age_s=0.2, max_state_age_s=0.2)
    assert gate.check({"pan": 1, "grip": 51}, 0.3, **times) == {"pan": 0, "grip": 50}


def test_a_rate_without_limit_leaves_the_step_limit_standing_while_time_stands_still():
    gate = SafetyGate({"pan": Limit("pan", "position", "deg", -100, 100, math.inf, 1.0)}, SafetyConfig(ramp_s=0))
    gate.engage({"pan": 0.0}, 5.0)
    assert [gate.check({"pan": 90}, now)["pan"] for now in (5.0, 5.0, 4.0)] == [1.0, 2.0, 3.0]


def test_a_joint_without_usable_command_for_too_long_ends_the_run():
    gate = make(stop_after_s=0.5)
    gate.check({"pan": 0}, 0.4)
    with pytest.raises(SafetyError, match=r"no usable command for grip during 0\.5 s \(missing\)"):
        gate.check({"pan": 0}, 0.6)


def test_a_usable_command_in_between_lets_the_run_go_on():
    gate = make(stop_after_s=0.5)
    for tick in range(1, 10):
        action = {"pan": 0, "grip": 50} if tick % 2 else {}
        gate.check(action, tick * 0.3)
    assert gate.interventions["pan"] == {"missing": 4}


def test_a_command_before_engagement_is_refused():
    with pytest.raises(SafetyError, match="before the robot's pose was measured"):
        SafetyGate(derive_limits(FEATURES, SafetyConfig())[0]).check({"pan": 0}, 0)


@pytest.mark.parametrize("value", [None, math.nan, "10"])
def test_engagement_needs_a_measured_pose(value):
    with pytest.raises(SafetyError, match="did not measure grip"):
        make(measured={"pan": 0, "grip": value})


def test_engagement_far_outside_the_limits_is_refused():
    with pytest.raises(SafetyError, match="pan at 130, limits -100 to 100"):
        make(measured={"pan": 130, "grip": 50})


def test_a_joint_a_little_outside_comes_back_at_its_rate_and_never_goes_further_out():
    gate = make(measured={"pan": 104, "grip": 50})
    assert gate.check({"pan": 150, "grip": 50}, PERIOD)["pan"] == pytest.approx(103)
    assert gate.check({"pan": 150, "grip": 50}, 2 * PERIOD)["pan"] == pytest.approx(102)
    assert gate.check({}, 3 * PERIOD)["pan"] == pytest.approx(102)
    assert gate.check({"pan": 0, "grip": 50}, 4 * PERIOD)["pan"] == pytest.approx(101)


@given(
    source=st.lists(st.floats(-200, 200), min_size=2, max_size=60),
    start=st.floats(100, 119),
    side=st.sampled_from([-1, 1]),
)
def test_a_joint_outside_never_goes_further_out_while_it_ramps_either(source, start, side):
    gate = make(measured={"pan": side * start, "grip": 50}, ramp_s=0.5)
    last = start
    for tick, wanted in enumerate(source, start=1):
        value = side * gate.check({"pan": wanted, "grip": 50}, tick * PERIOD)["pan"]
        assert value <= max(100, last)
        last = value


def test_what_the_robot_really_sent_is_the_reference_of_the_next_step():
    gate = make()
    gate.check({"pan": 1, "grip": 50}, PERIOD)
    gate.confirm({"pan": 0.25, "grip": 50})
    assert gate.check({"pan": 9, "grip": 50}, 2 * PERIOD)["pan"] == pytest.approx(0.25 + 1)


@pytest.mark.parametrize("returned", [{"pan": 500.0}, {"pan": math.nan}, {"pan": [1]}, None, 7])
def test_a_robot_that_reports_nonsense_does_not_move_the_reference(returned):
    gate = make()
    gate.check({"pan": 1, "grip": 50}, PERIOD)
    gate.confirm(returned)
    assert gate.check({"pan": 9, "grip": 50}, 2 * PERIOD)["pan"] == pytest.approx(2)
    sent_outside = "sent outside limits" in gate.interventions["pan"]
    assert sent_outside == (returned == {"pan": 500.0})


def test_float32_rounding_of_a_limit_is_not_reported():
    gate = make(measured={"pan": 99.9, "grip": 50})
    gate.check({"pan": 100, "grip": 50}, PERIOD)
    gate.confirm({"pan": 100.000008, "grip": 50})
    assert gate.interventions == {}
    assert gate.check({"pan": 100, "grip": 50}, 2 * PERIOD)["pan"] <= 100


def test_the_first_intervention_of_a_kind_is_logged_and_the_others_counted(caplog):
    gate = make()
    with caplog.at_level(logging.WARNING):
        for tick in range(1, 20):
            gate.check({"pan": math.nan, "grip": 50}, tick * PERIOD)
    assert len(caplog.records) == 1
    assert "pan" in caplog.text
    assert gate.interventions == {"pan": {"not a number": 19}}


def test_off_lets_everything_through_and_says_so(caplog):
    class Robot:
        action_features = FEATURES

    gate = SafetyGate.for_robot(Robot(), SafetyConfig(enabled=False))
    assert "SAFETY GATE IS OFF" in caplog.text
    gate.engage({}, 0.0)
    assert gate.check({"pan": 1e9, "nose": 1}, 1.0) == {"pan": 1e9, "nose": 1}
    assert not gate.enabled


# --- commands that are velocities ------------------------------------------------------------------------------------

BASE = {"x.vel": FeatureSpec(unit="m/s", range=(-0.3, 0.3))}


def test_velocity_commands_are_limited_in_value_and_acceleration():
    gate = make(BASE, measured={"none": 0})
    assert gate.check({"x.vel": 5}, 0.05)["x.vel"] == pytest.approx(0.03)
    for tick in range(2, 30):
        value = gate.check({"x.vel": 5}, tick * 0.05)["x.vel"]
    assert value == 0.3


def test_a_lost_velocity_command_slows_down_to_zero():
    gate = make(BASE, measured={"none": 0})
    for tick in range(1, 30):
        gate.check({"x.vel": 0.3}, tick * 0.05)
    values = [gate.check({}, 1.5 + tick * 0.05)["x.vel"] for tick in range(12)]
    assert values[0] == pytest.approx(0.27)
    assert values[-1] == 0


def test_rest_zeroes_velocities_and_leaves_positions():
    gate = make({**BASE, **FEATURES}, measured={"pan": 3.0, "grip": 50.0})
    gate.check({"x.vel": 0.3, "pan": 3, "grip": 50}, 0.05)
    assert gate.rest() == {"x.vel": 0.0, "pan": 3.0, "grip": 50.0}
    assert make().rest() is None


def test_switches_are_held_and_are_booleans():
    gate = make({"light": bool}, measured={"light": None})
    actions = [{}, {"light": 1}, {}, {"light": False}, {"light": "x"}]
    assert [gate.check(action, 0.1)["light"] for action in actions] == [False, True, True, False, False]


# --- the ramp --------------------------------------------------------------------------------------------------------

angles = st.floats(-100, 100)


@given(start=angles, source=st.lists(angles, min_size=5, max_size=60), ramp_s=st.floats(0.05, 3))
def test_the_ramp_starts_where_the_robot_is_and_is_never_faster_than_its_limits(start, source, ramp_s):
    gate = make(measured={"pan": start, "grip": 50}, ramp_s=ramp_s)
    last = start
    for tick, wanted in enumerate(source, start=1):
        now = tick * PERIOD
        value = gate.check({"pan": wanted, "grip": 50}, now)["pan"]
        assert abs(value - last) <= 60 * PERIOD + 1e-9
        if now < ramp_s:
            # Inside the ramp a joint has gone at most that part of its way (smoothstep, from its definition).
            part = now / ramp_s
            reach = max(abs(other - start) for other in source[:tick])
            assert abs(value - start) <= reach * (3 * part**2 - 2 * part**3) + 1e-9
        last = value


def test_a_steady_source_is_reached_when_the_ramp_ends():
    gate = make(measured={"pan": 0, "grip": 50}, ramp_s=2)
    path = [gate.check({"pan": 40, "grip": 50}, tick * PERIOD)["pan"] for tick in range(121)]
    assert path == sorted(path)
    assert path[60] == pytest.approx(20)
    assert path[-1] == pytest.approx(40)
    assert gate.interventions == {}


def test_a_first_command_that_takes_longer_than_the_ramp_still_starts_softly():
    gate = make(measured={"pan": 10, "grip": 50}, ramp_s=2)
    path = [gate.check({"pan": 40, "grip": 50}, 30 + tick * PERIOD)["pan"] for tick in range(121)]
    assert path[0] == 10
    assert path[60] == pytest.approx(25)
    assert path[-1] == 40


def test_each_joint_has_its_own_ramp():
    gate = make(measured={"pan": 0, "grip": 50}, ramp_s=1, stop_after_s=10)
    for tick in range(120):
        gate.check({"pan": 20}, tick * PERIOD)
    sent = gate.check({"pan": 20, "grip": 60}, 2.0)
    assert sent == {"pan": 20, "grip": 50}


def test_the_ramp_between_values_that_are_too_far_apart_for_a_float_is_finite():
    gate = make({"pan": float}, measured={"pan": -1e308}, ramp_s=1)
    values = [gate.check({"pan": 1.7e308}, tick / 4)["pan"] for tick in range(5)]
    assert all(map(math.isfinite, values))


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_numbers_of_array_libraries_are_numbers_and_arrays_are_not():
    np = pytest.importorskip("numpy")
    assert as_number(np.float32(1.5)) == 1.5
    assert as_number(np.array(2)) == 2
    assert as_number(np.int64(3)) == 3
    assert [as_number(value) for value in (np.array([1.0]), np.zeros(3), np.float64("nan"))] == [None] * 3


@pytest.mark.parametrize("value", [None, True, "1", b"1", [1.0], {"a": 1}, 10**400, math.inf, 1 + 0j, object()])
def test_everything_else_is_not_a_number(value):
    assert as_number(value) is None
