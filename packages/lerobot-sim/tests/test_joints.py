"""Units of the joints against the field's formulas (hand-worked and from the calibration of a real arm)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.sim.joints import JOINTS, KEYS, MAX_VELOCITY_RAD_S, Joint, features, to_angles, to_units

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
PAN, GRIPPER = JOINTS[0], JOINTS[5]


def test_keys_are_the_followers() -> None:
    assert KEYS == (
        "shoulder_pan.pos", "shoulder_lift.pos", "elbow_flex.pos", "wrist_flex.pos", "wrist_roll.pos", "gripper.pos",
    )  # fmt: skip


def test_degrees_count_4095_steps_a_turn_from_the_middle_of_the_range() -> None:
    """A quarter turn is 1024 encoder steps, reported as 1024 * 360 / 4095 = 90.022 degrees."""
    assert PAN.to_units(math.pi / 2, degrees=True) == pytest.approx(1024 * 360 / 4095)
    assert PAN.to_units(0.0, degrees=True) == 0.0


def test_a_joint_calibrated_over_a_whole_turn_is_half_a_step_off_at_zero() -> None:
    """The middle of 0 and 4095 is 2047.5; the servo stands at 2047."""
    assert JOINTS[4].to_units(0.0, degrees=True) == pytest.approx(-0.5 * 360 / 4095)


def test_the_gripper_is_in_percent_of_its_range() -> None:
    assert GRIPPER.to_units(math.radians(-10), degrees=True) == 0.0
    assert GRIPPER.to_units(math.radians(100), degrees=True) == 100.0
    assert GRIPPER.to_units(math.radians(45), degrees=True) == pytest.approx(50.0, abs=0.1)
    assert GRIPPER.to_units(math.radians(-30), degrees=True) == 0.0


def test_without_degrees_the_range_is_symmetric() -> None:
    assert PAN.to_units(math.radians(-110), degrees=False) == -100.0
    assert PAN.to_units(math.radians(110), degrees=False) == 100.0
    assert features(degrees=False)["shoulder_pan.pos"].unit == "m100"
    assert features(degrees=False)["gripper.pos"].unit == "percent"


@pytest.mark.parametrize("degrees", [True, False])
@pytest.mark.parametrize("joint", JOINTS, ids=lambda joint: joint.name)
@given(part=st.floats(0, 1))
def test_a_reading_commands_the_same_pose(joint: Joint, degrees: bool, part: float) -> None:
    """Sending a measured pose back moves nothing by more than the encoder's resolution."""
    angle = joint.low + part * (joint.high - joint.low)
    back = joint.to_angle(joint.to_units(angle, degrees=degrees), degrees=degrees)
    assert abs(back - angle) <= 2 * math.pi / 4096


@pytest.mark.parametrize("joint", JOINTS, ids=lambda joint: joint.name)
def test_commands_stop_at_the_mechanical_limits(joint: Joint) -> None:
    assert joint.to_angle(1e6, degrees=True) == pytest.approx(joint.high, abs=2e-3)
    assert joint.to_angle(-1e6, degrees=True) == pytest.approx(joint.low, abs=2e-3)


def test_speed_limits_are_the_servos() -> None:
    """45 rpm are 270 degrees per second, and 245 percent per second over the gripper's 110 degrees."""
    assert math.degrees(MAX_VELOCITY_RAD_S) == pytest.approx(270)
    assert features()["elbow_flex.pos"].max_velocity == pytest.approx(270, rel=1e-3)
    assert features()["gripper.pos"].max_velocity == pytest.approx(270 / 1.1, rel=1e-3)


def test_units_are_ordered_like_the_joints() -> None:
    angles = np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6])
    assert list(to_units(angles)) == list(KEYS)
    assert np.abs(to_angles(list(to_units(angles).values())) - angles).max() < 2e-3


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is absent")
def test_a_real_arm_has_about_the_same_ranges() -> None:
    """Calibrated ranges of a real SO-101: all but the roll within 15 degrees of the model's."""
    file = SHARED / "calibration/oc_models_so101/robots/so101_follower/black.json"
    real = json.loads(file.read_text(encoding="utf-8"))
    assert list(real) == [joint.name for joint in JOINTS]
    for joint in JOINTS:
        if joint.full_turn:
            continue
        real_span = (real[joint.name]["range_max"] - real[joint.name]["range_min"]) * 360 / 4095
        span = (joint.range_max - joint.range_min) * 360 / 4095
        assert abs(real_span - span) < 30, joint.name
