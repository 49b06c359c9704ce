"""Poses, beside those that the package `teleop` made of the same messages."""

import json
from typing import Any

import numpy as np
import pytest
from web_phone import pose

from lerobot.phone.messages import PoseMessage, decode
from lerobot.phone.rotations import from_vector, to_quaternion, to_vector
from lerobot.phone.tracker import TO_ROBOT, PoseTracker, Reading


class Hand:
    """Moves a phone, 30 messages a second."""

    def __init__(self) -> None:
        self.tracker = PoseTracker(max_gap_s=0.3)
        self.now_s = 100.0

    def __call__(self, *arguments: Any, after_s: float = 1 / 30, **fields: Any) -> Reading:
        self.now_s += after_s
        return self.send(pose(*arguments, **fields))

    def send(self, message: dict[str, Any]) -> Reading:
        read = decode(json.dumps(message))
        assert isinstance(read, PoseMessage)
        return self.tracker.update(read, self.now_s)


def test_the_poses_are_those_of_the_recorded_session(recorded: list[dict[str, Any]]) -> None:
    hand = Hand()
    for entry in recorded:
        hand.now_s += 0.03
        reading = hand.send(entry["sent"])
        expected = np.array(entry["pose"])
        assert reading.position == pytest.approx(expected[:3, 3], abs=1e-9)
        # The quaternions of the recording are rounded to seven digits.
        assert reading.rotation == pytest.approx(expected[:3, :3], abs=1e-7)
        assert reading.enabled == entry["sent"]["data"]["move"]
        assert reading.inputs["reservedButtonA"] == float("reservedButtonA" in entry["sent"]["data"])


def test_the_clutch_lets_the_hand_go_back() -> None:
    hand = Hand()
    hand()
    hand(True)
    assert hand(True, z=-0.03).position == pytest.approx([0.03, 0, 0])
    hand(z=-0.03)
    assert hand(z=0.01).position == pytest.approx([0.03, 0, 0]), "nobody holds it"
    assert hand(True, z=0.01).position == pytest.approx([0.03, 0, 0])
    assert hand(True, z=-0.02).position == pytest.approx([0.06, 0, 0])


@pytest.mark.parametrize(("scale", "way"), [(1.0, 0.04), (0.5, 0.02), (2.0, 0.08)])
def test_scale(scale: float, way: float) -> None:
    hand = Hand()
    hand()
    hand(True, scale=scale)
    assert hand(True, x=0.04, scale=scale).position == pytest.approx([0, -way, 0])


@pytest.mark.parametrize("tilt_deg", [0, -45, -90])
@pytest.mark.parametrize("heading_deg", [0, 30, 90, 180, -120])
def test_the_first_hold_says_where_forward_is(tilt_deg: float, heading_deg: float) -> None:
    """Upright, tilted or flat; whichever way the person stands, a step ahead is a step along x."""
    up, right = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    turned = from_vector(np.radians(heading_deg) * up)
    held = turned @ from_vector(np.radians(tilt_deg) * right)
    orientation = dict(zip("xyzw", to_quaternion(held).tolist(), strict=True))
    ahead = turned @ [0, 0, -0.03]
    hand = Hand()
    hand(orientation=orientation)
    hand(True, orientation=orientation)
    reading = hand(True, *ahead.tolist(), orientation=orientation)
    assert reading.position == pytest.approx([0.03, 0, 0], abs=1e-9)


def test_a_turn_is_about_the_robots_axes() -> None:
    hand = Hand()
    hand()
    hand(True)
    about_up = dict(zip("xyzw", to_quaternion(from_vector(np.array([0, 0.2, 0]))).tolist(), strict=True))
    assert to_vector(hand(True, orientation=about_up).rotation) == pytest.approx([0, 0, 0.2])
    assert pytest.approx([0, 0, 1]) == TO_ROBOT @ [0, 1, 0]


LEFT = {"x": 0, "y": np.sin(0.4), "z": 0, "w": np.cos(0.4)}


@pytest.mark.parametrize("jump", [{"z": -0.08}, {"orientation": LEFT}])
def test_a_jump_of_tracking_is_no_motion(jump: dict[str, Any]) -> None:
    hand = Hand()
    hand()
    hand(True)
    before = hand(True, z=-0.02)
    after = hand(True, **jump)
    assert not after.enabled
    assert np.array_equal(after.position, before.position)
    assert np.array_equal(after.rotation, before.rotation)
    assert not hand(True, **jump).enabled, "it has to be let go first"
    hand(False, **jump)
    assert hand(True, **jump).enabled


def test_silence_ends_a_motion() -> None:
    hand = Hand()
    hand()
    hand(True)
    assert hand(True, z=-0.01).enabled
    assert not hand(True, z=-0.02, after_s=0.4).enabled
    assert not hand(True, z=-0.02).enabled
    hand()
    assert hand(True).position == pytest.approx([0.01, 0, 0])


def test_lost_tracking_ends_a_motion() -> None:
    hand = Hand()
    hand()
    hand(True)
    hand.tracker.lose()
    assert not hand(True, z=-0.01).enabled


def test_a_page_that_begins_held_moves_nothing() -> None:
    hand = Hand()
    assert not hand(True).enabled
    assert not hand(True, z=-0.03).enabled
