"""The guard of whole poses, on an arm that is two numbers: up to what is in the way, along it, never through it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.safety import SafetyConfig, SafetyGate, derive_limits
from lerobot.core.safety.pose_guard import PoseGuard
from lerobot.core.types import FeatureSpec

STEP = 0.01
BALL, RADIUS = (0.5, 0.5), 0.05


class Plane:
    """A point in the plane, metres: x may be at most 1, and there is a ball in the middle. Counts what it is asked."""

    keys = ("x.pos", "y.pos")
    reach_m = (1.0, 1.0)
    step_m = STEP

    def __init__(self):
        self.asked = 0

    def outside(self, pose):
        self.asked += 1
        x, y = pose
        depths = {"wall": x - 1, "ball": RADIUS - math.hypot(x - BALL[0], y - BALL[1])}
        return {name: depth for name, depth in depths.items() if depth > 0}


def begun(*pose):
    guard = PoseGuard(Plane())
    guard.begin(list(pose))
    return guard


def test_what_is_allowed_passes_as_it_is():
    assert begun(0.0, 0.0).follow([0.0, 0.0], [0.3, 0.1]) == ([0.3, 0.1], "")


def test_a_short_way_is_judged_once_and_standing_still_not_at_all():
    plane = Plane()
    guard = PoseGuard(plane)
    guard.begin([0.0, 0.0])
    plane.asked = 0
    guard.follow([0.0, 0.0], [0.004, 0.004])
    guard.follow([0.004, 0.004], [0.004, 0.004])
    assert plane.asked == 1


def test_it_stops_before_a_wall_and_goes_on_beside_it():
    pose, limit = begun(0.9, 0.0).follow([0.9, 0.0], [1.3, 0.4])
    assert limit == "wall"
    assert pose[0] == pytest.approx(1, abs=STEP)
    assert pose[0] <= 1
    assert pose[1] == 0.4


def test_it_does_not_jump_through_what_is_smaller_than_the_way():
    pose, limit = begun(0.3, 0.5).follow([0.3, 0.5], [0.8, 0.5])
    assert limit == "ball"
    assert pose[0] == pytest.approx(0.45, abs=2e-3)


def test_who_begins_inside_a_ball_comes_out_and_not_back_in():
    guard = begun(0.52, 0.5)
    pose, limit = guard.follow([0.52, 0.5], [0.48, 0.5])
    assert (pose, limit) == ([0.52, 0.5], "ball")
    assert guard.follow([0.52, 0.5], [0.53, 0.5]) == ([0.53, 0.5], "")
    pose, limit = guard.follow([0.53, 0.5], [0.525, 0.5])
    assert (pose, limit) == ([0.53, 0.5], "ball")
    assert guard.follow([0.53, 0.5], [0.6, 0.5]) == ([0.6, 0.5], "")
    pose, limit = guard.follow([0.6, 0.5], [0.53, 0.5])
    assert limit == "ball"
    assert pose[0] >= 0.55


POINTS = st.tuples(st.floats(-2, 2), st.floats(-2, 2))


@given(goals=st.lists(POINTS, max_size=30), noise=st.lists(st.floats(-3e-4, 3e-4), min_size=60, max_size=60))
def test_no_command_is_outside_whatever_is_asked_and_rounding_does_not_add_up(goals, noise):
    guard, at = begun(0.0, 0.0), [0.0, 0.0]
    errors = iter(noise)
    for goal in goals:
        pose, _ = guard.follow(at, list(goal))
        for before, value, wanted in zip(at, pose, goal, strict=True):
            # But for what the robot added to the command before.
            assert min(before, wanted) - 3e-4 <= value <= max(before, wanted) + 3e-4
        at = [value + next(errors) for value in pose]
        assert max(Plane().outside(at).values(), default=0) <= 2 * 3e-4, "no more than it adds to one command"


def test_a_robot_that_always_rounds_outwards_is_not_led_outside():
    """Somebody pushes against the wall and along it, and every command arrives 0.3 mm farther out."""
    guard, at = begun(0.999, 0.0), [0.999, 0.0]
    for tick in range(300):
        pose, _ = guard.follow(at, [1.3, 0.2 if tick % 2 else -0.2])
        at = [pose[0] + 3e-4, pose[1]]
        assert at[0] <= 1 + 3e-4


@given(goals=st.lists(POINTS, max_size=30))
def test_exactly_sent_commands_are_never_outside(goals):
    guard, at = begun(0.0, 0.0), [0.0, 0.0]
    for goal in goals:
        at, _ = guard.follow(at, list(goal))
        assert max(Plane().outside(at).values(), default=0) <= 1e-9


# --- behind the gate -------------------------------------------------------------------------------------------------

FEATURES = {key: FeatureSpec(unit="m", range=(-2, 2), max_velocity=1.0) for key in Plane.keys} | {
    "grip": FeatureSpec(unit="percent", range=(0, 100), max_velocity=1000)
}


def a_gate(**start):
    config = SafetyConfig(ramp_s=0)
    gate = SafetyGate(derive_limits(FEATURES, config)[0], config, PoseGuard(Plane()))
    gate.engage({"x.pos": 0.9, "y.pos": 0.0, "grip": 50.0} | start, 0.0)
    return gate


def test_the_gate_says_what_kept_which_joint_and_leaves_others_alone(caplog):
    gate = a_gate()
    for tick in range(1, 30):
        sent = gate.check({"x.pos": 1.5, "y.pos": 0.2, "grip": 60.0}, tick / 10)
    assert sent["x.pos"] <= 1
    assert (sent["y.pos"], sent["grip"]) == (pytest.approx(0.2), 60.0)
    assert gate.last_interventions == {"x.pos": "wall"}
    assert caplog.text.count("the arm is kept from wall") == 1


def test_an_arm_that_begins_outside_is_told(caplog):
    a_gate(**{"x.pos": 1.1})
    assert "begins outside of its workspace (wall by 100 mm)" in caplog.text


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"workspace": {"table_z": 0.0}}, "--safety.model.type=links"),
        ({"workspace": {"box": {"x": [0.3, 0.1]}}}, "low < high"),
        ({"workspace": {"planes": [{"normal": [0, 0, 0]}]}}, "a direction"),
        ({"workspace": {"margin_m": -1}}, "greater than or equal to 0"),
    ],
)
def test_a_workspace_that_cannot_be_is_refused(fields, what):
    with pytest.raises(ValueError, match=what):
        SafetyConfig.model_validate(fields)
