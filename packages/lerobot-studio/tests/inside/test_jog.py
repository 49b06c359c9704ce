"""Targets follow the page's jog: as fast as it says, no farther than a lead, and from the robot after a pause."""

import pytest
from pydantic import ValidationError

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.core.types import FeatureSpec
from lerobot.studio.inside.config import JogToJointsConfig

CONFIG = JogToJointsConfig(positions={"pan.pos": (-100, 100)}, velocities={"x.vel": 0.5}, speed=0.25, lead=0.1)


class TestContract(ProcessorContract):
    @pytest.fixture
    def config(self) -> JogToJointsConfig:
        return CONFIG

    @pytest.fixture
    def transition(self) -> dict:
        return create_transition({"pan.pos": 3.0, "x.vel": 0.0}, {"jog.pan.pos": 0.5, "jog.x.vel": -1.0})


class Driver:
    """A step whose clock a test moves."""

    def __init__(self, config: JogToJointsConfig = CONFIG) -> None:
        self.now = 100.0
        self.step = build_step(config, {"now": lambda: self.now})

    def turn(self, pan: float = 0.0, x: float = 0.0, *, at: float, after_s: float = 0.02) -> dict:
        self.now += after_s
        given = create_transition({"pan.pos": at}, {"jog.pan.pos": pan, "jog.x.vel": x})
        return self.step(given)["action"]


def test_a_position_moves_by_its_share_of_the_range() -> None:
    driver = Driver()
    targets = [driver.turn(1.0, at=10.0)["pan.pos"] for _ in range(4)]
    assert targets == pytest.approx([10.0, 11.0, 12.0, 13.0]), "200 units of range, a quarter a second, 20 ms a turn"
    assert driver.turn(0.0, at=11.0)["pan.pos"] == pytest.approx(13.0), "let go, it stays where it was sent"
    assert driver.turn(-0.5, at=11.0)["pan.pos"] == pytest.approx(12.5)


def test_a_velocity_follows_its_jog_and_is_zero_with_it() -> None:
    driver = Driver()
    assert [driver.turn(x=jog, at=0.0)["x.vel"] for jog in (1.0, -0.5, 0.0)] == [0.5, -0.25, 0.0]


def test_a_joint_that_is_blocked_is_not_run_away_from() -> None:
    driver = Driver()
    for _ in range(200):
        target = driver.turn(1.0, at=10.0)["pan.pos"]
    assert target == pytest.approx(30.0), "a tenth of the range ahead"
    assert driver.turn(at=-60.0)["pan.pos"] == pytest.approx(-40.0), "pushed away by hand, it follows"


def test_targets_end_at_the_range_and_a_joint_outside_of_it_may_come_back() -> None:
    driver = Driver()
    for _ in range(50):
        target = driver.turn(1.0, at=95.0)["pan.pos"]
    assert target == 100.0
    outside = Driver()
    assert outside.turn(1.0, at=104.0)["pan.pos"] == 104.0
    assert outside.turn(1.0, at=104.0)["pan.pos"] == 104.0
    assert outside.turn(-1.0, at=104.0)["pan.pos"] == pytest.approx(103.0)


def test_a_turn_that_comes_late_moves_no_further_than_a_tenth_of_a_second() -> None:
    driver = Driver()
    driver.turn(1.0, at=10.0)
    assert driver.turn(1.0, at=10.0, after_s=0.4)["pan.pos"] == pytest.approx(15.0)


def test_after_a_pause_targets_begin_where_the_robot_is() -> None:
    driver = Driver()
    driver.turn(1.0, at=10.0)
    assert driver.turn(1.0, at=10.0)["pan.pos"] == pytest.approx(11.0)
    assert driver.turn(0.0, at=-5.0, after_s=3.0)["pan.pos"] == -5.0


def test_features_are_checked_before_anything_moves() -> None:
    step = build_step(CONFIG)
    spec = FeatureSpec(unit="deg", range=(-100.0, 100.0))
    features = {"observation": {"pan.pos": spec}, "action": {"jog.pan.pos": FeatureSpec(), "jog.x.vel": FeatureSpec()}}
    assert step.transform_features(features)["action"] == {"pan.pos": spec, "x.vel": FeatureSpec()}
    with pytest.raises(FeatureMismatchError, match=r"jog\.x\.vel"):
        step.transform_features({**features, "action": {"jog.pan.pos": FeatureSpec()}})
    with pytest.raises(FeatureMismatchError, match=r"pan\.pos"):
        step.transform_features({**features, "observation": {}})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "at least one key"),
        ({"positions": {"a": (1, 1)}}, "low < high"),
        ({"positions": {"a": (0, float("inf"))}}, "low < high"),
        ({"velocities": {"a": 0}}, "a positive number"),
        ({"positions": {"a": (0, 1)}, "velocities": {"a": 1}}, "either a position or a velocity"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        JogToJointsConfig(**values)
