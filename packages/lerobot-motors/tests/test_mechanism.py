"""A joint moves within its limits; with time given, not measured."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.motors.virtual.mechanism import Mechanism


@settings(deadline=None, max_examples=40)
@given(
    start=st.floats(0, 4000), goal=st.floats(-500, 4500), speed=st.floats(400, 3000), acceleration=st.floats(500, 40000)
)
def test_a_move_keeps_its_limits_and_arrives(start: float, goal: float, speed: float, acceleration: float) -> None:
    joint = Mechanism(start, (0, 4000), 3400, 50_000)
    tick, before, velocity = 0.002, joint.position, 0.0
    for _ in range(10_000):
        joint.drive_to(goal, speed, acceleration, tick)
        assert abs(joint.position - before) <= speed * tick * 1.001 + 0.5, "half a step from its goal it has arrived"
        if joint.velocity:
            assert abs(joint.velocity - velocity) <= acceleration * tick * 1.001
        before, velocity = joint.position, joint.velocity
        if joint.velocity == 0 and abs(joint.position - min(4000, max(0, goal))) <= 0.5:
            break
    assert joint.position == pytest.approx(min(4000, max(0, goal)), abs=0.5)
