"""Limits: what the robot declares, tightened by the user, and the documented defaults."""

import math

import pytest

from lerobot.core.errors import ConfigError, FeatureMismatchError
from lerobot.core.safety import SafetyConfig, derive_limits
from lerobot.core.types import FeatureSpec

ARM = {
    "shoulder_pan.pos": FeatureSpec(unit="deg", range=(-110, 110), max_velocity=120),
    "gripper.pos": FeatureSpec(unit="percent", range=(0, 100)),
}


def limit(key, features=ARM, **config):
    return derive_limits(features, SafetyConfig(**config))[0][key]


def test_declared_range_and_velocity_are_taken():
    pan = limit("shoulder_pan.pos")
    assert (pan.low, pan.high, pan.max_rate) == (-110, 110, 120)
    assert pan.max_step == pytest.approx(12)


@pytest.mark.parametrize(
    ("unit", "velocity"),
    [("deg", 180), ("rad", math.pi), ("percent", 200), ("m100", 150), ("m", 0.25), ("mm", 250)],
)
def test_a_unit_without_declared_velocity_has_its_documented_default(unit, velocity):
    assert limit("x.pos", {"x.pos": FeatureSpec(unit=unit, range=(0, 1))}).max_rate == pytest.approx(velocity)


def test_a_quantity_of_unknown_unit_may_cross_its_range_once_a_second():
    assert limit("x", {"x": FeatureSpec(unit="furlong", range=(-3, 5))}).max_rate == 8
    assert limit("x", {"x": float}).max_rate == 1


@pytest.mark.parametrize("name", ["shoulder_pan", "shoulder_pan.pos"])
def test_a_joint_is_named_with_or_without_its_ending(name):
    assert limit("shoulder_pan.pos", position_limits={name: (-30, 200)}).low == -30
    assert limit("shoulder_pan.pos", max_velocity={name: 10}).max_rate == 10
    assert limit("shoulder_pan.pos", max_step={name: 0.5}).max_step == 0.5
    assert limit("gripper.pos", max_velocity={name: 10}).max_rate == 200


def test_the_user_can_only_tighten_what_the_robot_declares():
    pan = limit("shoulder_pan.pos", position_limits={"shoulder_pan": (-30, 200)}, max_velocity=500)
    assert (pan.low, pan.high, pan.max_rate) == (-30, 110, 120)


def test_the_user_may_replace_a_default():
    assert limit("gripper.pos", max_velocity={"gripper": 400}).max_rate == 400


def test_a_plain_number_is_for_positions_only():
    features = {**ARM, "x.vel": FeatureSpec(unit="m/s", range=(-0.2, 0.3))}
    assert limit("gripper.pos", features, max_velocity=5).max_rate == 5
    base = limit("x.vel", features, max_velocity=5)
    assert (base.kind, base.low, base.high) == ("velocity", -0.2, 0.3)
    assert base.max_rate == pytest.approx(0.6)


def test_velocity_commands_are_known_by_unit_or_by_ending():
    kinds = derive_limits({"a": FeatureSpec(unit="deg/s"), "b.vel": float, "c.pos": float}, SafetyConfig())[0]
    assert [limit.kind for limit in kinds.values()] == ["velocity", "velocity", "position"]
    assert kinds["a"].high == 90


def test_a_command_of_one_step_may_be_as_far_from_the_last_as_the_robot_says():
    feature = FeatureSpec(unit="1/step", range=(-1, 1), max_velocity=1600)
    step = limit("delta_x", {"delta_x": feature})
    assert (step.kind, step.low, step.high, step.max_rate, step.max_step) == ("velocity", -1, 1, 1600, 160)
    assert limit("delta_x", {"delta_x": feature}, max_acceleration={"delta_x": 5.0}).max_rate == 5
    assert limit("delta_x", {"delta_x": feature}, max_acceleration={"delta_x": 9000.0}).max_rate == 1600


def test_velocity_commands_are_capped_by_name():
    features = {"x.vel": FeatureSpec(unit="m/s")}
    base = limit("x.vel", features, max_velocity={"x": 0.1}, max_acceleration={"x.vel": 0.05})
    assert (base.low, base.high, base.max_rate) == (-0.1, 0.1, 0.05)


def test_unknown_joints_are_all_named_with_the_nearest():
    with pytest.raises(ConfigError) as caught:
        limit("gripper.pos", max_velocity={"griper.pos": 3, "nose": 1})
    texts = [str(problem) for problem in caught.value.problems]
    assert "--safety.max_velocity" in texts[0]
    assert "did you mean 'gripper.pos'" in texts[0]
    assert "nose" in texts[1]


def test_limits_outside_the_robots_range_are_refused():
    with pytest.raises(ConfigError, match=r"position_limits\.gripper\.pos.*inside \[0, 100\]"):
        limit("gripper.pos", position_limits={"gripper": (120, 130)})


@pytest.mark.parametrize(
    "spec", [FeatureSpec(shape=(3,)), FeatureSpec(dtype="string"), FeatureSpec("uint8", (4, 4, 3))]
)
def test_what_is_not_a_number_is_refused(spec):
    with pytest.raises(FeatureMismatchError) as caught:
        limit("x", {"x": spec})
    assert caught.value.keys == ("x",)


def test_a_joint_without_range_gets_a_notice_that_names_it():
    notices = derive_limits({"x.pos": FeatureSpec(unit="deg"), **ARM}, SafetyConfig())[1]
    assert len(notices) == 1
    assert notices[0].startswith("x.pos declares no range, so only its speed is limited; set it: ")


def test_joints_of_which_nothing_is_known_are_named_together_with_the_speed_that_is_guessed():
    plain = {"x.pos": float, "y.pos": float, "z.pos": FeatureSpec(range=(0, 1))}
    limits, notices = derive_limits(plain, SafetyConfig())
    assert limits["x.pos"].max_rate == 1.0
    assert notices == [
        "x.pos, y.pos declare no range, so only their speed is limited; "
        "set them: --safety.position_limits='{x.pos: [low, high]}'",
        "the unit of x.pos, y.pos is not known either, so the speed is limited to 1 a second in whatever it is; "
        "set it: --safety.max_velocity=NUMBER",
    ]
    _, notices = derive_limits(plain, SafetyConfig(max_velocity={"x": 90.0}, position_limits={"x": (-1, 1)}))
    assert [notice.partition(" ")[0] for notice in notices] == ["y.pos", "the"]
    assert "x.pos" not in "".join(notices)


@pytest.mark.parametrize("pair", [(math.nan, math.nan), (0, math.nan), (math.nan, 0)])
def test_a_range_of_no_numbers_is_refused_instead_of_ignored(pair):
    with pytest.raises(ConfigError, match=r"position_limits\.gripper"):
        limit("gripper.pos", position_limits={"gripper": pair})


@pytest.mark.parametrize("setting", [{"max_velocity": math.inf}, {"max_step": {"gripper": math.inf}}])
def test_infinity_is_no_limit_to_set(setting):
    with pytest.raises(ValueError, match="finite"):
        SafetyConfig(**setting)
