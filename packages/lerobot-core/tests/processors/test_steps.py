"""The numbers of every step in core; golden values from the field's published formulas, worked by hand."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from lerobot.core.errors import CheckpointError, ConfigError, DeviceError, FeatureMismatchError, SafetyError
from lerobot.core.events import TeleopEvents
from lerobot.core.processors import build_step, create_transition
from lerobot.core.processors import config as c
from lerobot.core.processors.steps.units import affine
from lerobot.core.types import FeatureSpec, Observation, Stamp


def act(config, action, observation=None, **entries):
    return config.build()(create_transition(observation, action, **entries))["action"]


# --- mapping ---------------------------------------------------------------------------------------------------------


def test_rename_keeps_order_strangers_and_time_stamps() -> None:
    observation = Observation({"a": 1, "b": 2, "c": 3}, {"b": Stamp(5.0)})
    step = c.RenameObservationsConfig(rename_map={"b": "x", "absent": "y"}).build()
    renamed = step(create_transition(observation))["observation"]
    assert list(renamed.items()) == [("a", 1), ("x", 2), ("c", 3)]
    assert renamed.stamps == {"x": Stamp(5.0)}
    assert step.get_config() == {"rename_map": {"b": "x", "absent": "y"}}


@pytest.mark.parametrize("config", [c.RenameObservationsConfig, c.RenameActionsConfig])
def test_rename_refuses_to_lose_a_value(config) -> None:
    values = {"a": 1, "b": 2}
    with pytest.raises(FeatureMismatchError, match="'a' and 'b' would be named 'b'"):
        config(rename_map={"a": "b"}).build()(create_transition(values, values))


def test_rename_may_swap() -> None:
    assert act(c.RenameActionsConfig(rename_map={"a": "b", "b": "a"}), {"a": 1, "b": 2}) == {"b": 1, "a": 2}


def test_select_takes_keys_in_the_configured_order() -> None:
    assert list(act(c.SelectKeysConfig(entry="action", keys=["c", "a"]), {"a": 1, "b": 2, "c": 3})) == ["c", "a"]
    with pytest.raises(FeatureMismatchError) as raised:
        act(c.SelectKeysConfig(entry="action", keys=["a", "z"]), {"a": 1})
    assert raised.value.keys == ("z",)
    with pytest.raises(FeatureMismatchError, match="NoneType"):
        act(c.SelectKeysConfig(entry="observation", keys=["a"]), {"a": 1})


def test_bridge_follows_motor_names_never_the_dict() -> None:
    to_vector = c.RobotToPolicyActionConfig(motor_names=["x", "y"])
    vector = act(to_vector, {"y.pos": 2.0, "x.pos": 1.0})
    assert vector.dtype == np.float32
    assert vector.tolist() == [1.0, 2.0]
    for batch in (vector, vector[None]):
        back = act(c.PolicyToRobotActionConfig(motor_names=["x", "y"]), batch)
        assert list(back.items()) == [("x.pos", 1.0), ("y.pos", 2.0)]
        assert type(back["x.pos"]) is float


@pytest.mark.parametrize("action", [{"x.pos": 1.0}, {"x.pos": 1.0, "y.pos": 1.0, "z.pos": 1.0}, {"x": 1.0, "y": 2.0}])
def test_bridge_wants_exactly_its_motors(action) -> None:
    with pytest.raises(FeatureMismatchError):
        act(c.RobotToPolicyActionConfig(motor_names=["x", "y"]), action)


@pytest.mark.parametrize("action", [np.zeros(3), np.zeros((2, 2)), np.float32(1), {"x.pos": 1.0}])
def test_bridge_wants_one_vector(action) -> None:
    with pytest.raises(FeatureMismatchError, match="policy action"):
        act(c.PolicyToRobotActionConfig(motor_names=["x", "y"]), action)


# --- values ----------------------------------------------------------------------------------------------------------


def test_clip_limits_named_keys() -> None:
    config = c.ClipConfig(limits={"a": (-1, 1), "b": (0, math.inf)})
    assert act(config, {"a": 5.0, "b": -2.0, "c": 99.0}) == {"a": 1.0, "b": 0.0, "c": 99.0}
    assert act(config, {"a": -math.inf, "b": 7.0}) == {"a": -1.0, "b": 7.0}
    with pytest.raises(FeatureMismatchError, match="NaN"):
        act(config, {"a": math.nan, "b": 0.0})
    with pytest.raises(FeatureMismatchError, match="'b'"):
        act(config, {"a": 0.0})
    with pytest.raises(ValidationError, match="low <= high"):
        c.ClipConfig(limits={"a": (1, -1)})


def test_clip_narrows_the_declared_range() -> None:
    step = c.ClipConfig(entry="observation", limits={"a": (-1, 1), "b": (0, 2)}).build()
    features = {"action": {}, "observation": {"a": FeatureSpec(range=(-5, 0.5)), "b": FeatureSpec()}}
    clipped = step.transform_features(features)["observation"]
    assert clipped == {"a": FeatureSpec(range=(-1, 0.5)), "b": FeatureSpec(range=(0, 2))}


@pytest.mark.parametrize(
    ("source", "target", "range_deg", "given", "expected"),
    [
        ("deg", "rad", None, 180.0, math.pi),
        ("rad", "deg", None, math.pi / 2, 90.0),
        ("m100", "deg", (-90, 90), -100.0, -90.0),
        ("m100", "deg", (-30, 90), 0.0, 30.0),
        ("percent", "deg", (-30, 90), 25.0, 0.0),
        ("deg", "percent", (10, 20), 20.0, 100.0),
        ("deg", "m100", (10, 20), 12.5, -50.0),
        ("percent", "m100", None, 75.0, 50.0),
        ("m100", "percent", None, -100.0, 0.0),
        ("percent", "rad", (0, 180), 50.0, math.pi / 2),
    ],
)
def test_units(source, target, range_deg, given, expected) -> None:
    config = c.ConvertUnitsConfig(conversions={"a.pos": {"source": source, "target": target, "range_deg": range_deg}})
    assert act(config, {"a.pos": given, "b": 1})["a.pos"] == pytest.approx(expected, abs=1e-12)
    array = act(config, {"a.pos": np.array([given])})["a.pos"]
    assert array == pytest.approx([expected])


def test_units_convert_the_declaration_too() -> None:
    conversions = {"a": {"source": "percent", "target": "deg", "range_deg": (-90, 90)}}
    step = c.ConvertUnitsConfig(conversions=conversions).build()
    spec = FeatureSpec(unit="percent", range=(0, 50), max_velocity=10)
    converted = step.transform_features({"action": {"a": spec}, "observation": {}})["action"]["a"]
    assert converted == FeatureSpec(unit="deg", range=(-90, 0), max_velocity=18)
    with pytest.raises(FeatureMismatchError, match="'a' is in rad"):
        step.transform_features({"action": {"a": FeatureSpec(unit="rad")}, "observation": {}})


def test_units_that_depend_on_a_range_demand_it() -> None:
    with pytest.raises(ValidationError, match="range_deg"):
        c.UnitConversion(source="percent", target="deg")
    with pytest.raises(ValidationError, match="low < high"):
        c.UnitConversion(source="percent", target="deg", range_deg=(5, 5))
    assert affine(c.UnitConversion(source="deg", target="deg")) == (1.0, 0.0)


# --- deltas ----------------------------------------------------------------------------------------------------------


def test_a_vector_becomes_deltas() -> None:
    vector = np.array([0.1, 0.2, 0.3, 2.0], dtype=np.float64)
    with_gripper = {"delta_x": 0.1, "delta_y": 0.2, "delta_z": 0.3, "gripper": 2.0}
    assert act(c.TensorToDeltaActionConfig(), vector) == with_gripper
    assert act(c.TensorToDeltaActionConfig(), vector[None]) == with_gripper
    without = c.TensorToDeltaActionConfig(use_gripper=False)
    assert act(without, vector[:3]) == {key: with_gripper[key] for key in ("delta_x", "delta_y", "delta_z")}
    assert without.build().get_config() == {"use_gripper": False}
    with pytest.raises(FeatureMismatchError, match="3 elements"):
        act(c.TensorToDeltaActionConfig(), vector[:3])


def test_deltas_become_a_target() -> None:
    deltas = {"delta_x": 3.0, "delta_y": 0.0, "delta_z": 4.0}
    expected = {
        "enabled": True,
        "target_x": 6.0,
        "target_y": 0.0,
        "target_z": 8.0,
        "target_wx": 0.0,
        "target_wy": 0.0,
        "target_wz": 0.0,
    }
    assert act(c.DeltaToRobotActionConfig(position_scale=2), {**deltas, "gripper": 1}) == expected | {
        "gripper_vel": 1.0
    }
    assert act(c.DeltaToRobotActionConfig(position_scale=2), deltas) == expected
    assert act(c.DeltaToRobotActionConfig(noise_threshold=5), deltas)["enabled"] is False
    assert act(c.DeltaToRobotActionConfig(noise_threshold=4.99), deltas)["enabled"] is True
    with pytest.raises(FeatureMismatchError) as raised:
        act(c.DeltaToRobotActionConfig(), {"delta_x": 1.0})
    assert raised.value.keys == ("delta_y", "delta_z")


def test_joint_deltas_follow_names() -> None:
    observation = {"b.pos": 10.0, "a.pos": 1.0}
    config = c.RelativeJointActionsConfig(motor_names=["a", "b"])
    relative = act(config, {"a.pos": 3.0, "b.pos": 4.0, "gripper.pos": 5.0}, observation)
    assert relative == {"a.pos": 2.0, "b.pos": -6.0, "gripper.pos": 5.0}
    absolute = act(c.AbsoluteJointActionsConfig(motor_names=["a", "b"]), relative, observation)
    assert absolute == {"a.pos": 3.0, "b.pos": 4.0, "gripper.pos": 5.0}
    with pytest.raises(FeatureMismatchError, match=r"observation has no 'b\.pos'"):
        act(config, {"a.pos": 3.0, "b.pos": 4.0}, {"a.pos": 1.0})


def test_joint_deltas_shift_ranges() -> None:
    features = {
        "action": {"a.pos": FeatureSpec(unit="deg", range=(-10, 20), max_velocity=5)},
        "observation": {"a.pos": FeatureSpec(unit="deg", range=(0, 15))},
    }
    relative = c.RelativeJointActionsConfig(motor_names=["a"]).build().transform_features(features)
    assert relative["action"]["a.pos"] == FeatureSpec(unit="deg", range=(-25, 20))
    absolute = c.AbsoluteJointActionsConfig(motor_names=["a"]).build().transform_features(features)
    assert absolute["action"]["a.pos"].range == (-10, 35)
    features["observation"]["a.pos"] = FeatureSpec()
    unknown = c.RelativeJointActionsConfig(motor_names=["a"]).build().transform_features(features)
    assert unknown["action"]["a.pos"].range is None


# --- end effector ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "velocity", "measured", "expected"),
    [
        ({}, 1.0, 30.0, 50.0),
        ({}, -1.0, 10.0, 0.0),
        ({"speed_factor": 1, "clip_max": 30, "discrete_gripper": True}, 0, 10.0, 30.0),
        ({"speed_factor": 1, "clip_max": 30, "discrete_gripper": True}, 1, 10.0, 10.0),
        ({"speed_factor": 1, "clip_max": 30, "discrete_gripper": True}, 2, 10.0, 0.0),
    ],
)
def test_gripper_velocity(config, velocity, measured, expected) -> None:
    # The gripper stands first: its key counts, not its place.
    observation = {"gripper.pos": measured, "wrist.pos": -77.0}
    action = act(c.GripperVelocityToJointConfig(**config), {"ee.gripper_vel": velocity, "ee.x": 1.0}, observation)
    assert action == {"ee.x": 1.0, "ee.gripper_pos": expected}


def test_a_gripper_may_go_on_from_its_command_so_that_it_keeps_its_grip() -> None:
    config = c.GripperVelocityToJointConfig(from_command=True, clip_min=5)
    step = config.build()
    blocked = {"gripper.pos": 40.0}

    def commanded(velocity: float) -> float:
        return step(create_transition(blocked, {"ee.gripper_vel": velocity}))["action"]["ee.gripper_pos"]

    assert [commanded(velocity) for velocity in (-1, 0, -1, 0, 1)] == [20, 20, 5, 5, 25]
    step.reset()
    assert commanded(0) == 40
    assert step.get_config()["from_command"] is True
    assert "from_command" not in c.GripperVelocityToJointConfig().build().get_config()


def test_gripper_velocity_needs_the_measured_gripper() -> None:
    with pytest.raises(FeatureMismatchError, match=r"gripper\.pos"):
        act(c.GripperVelocityToJointConfig(), {"ee.gripper_vel": 1.0}, {"jaw.pos": 1.0})
    config = c.GripperVelocityToJointConfig(gripper_key="jaw.pos")
    assert act(config, {"ee.gripper_vel": 1.0}, {"jaw.pos": 1.0}) == {"ee.gripper_pos": 21.0}
    assert config.build().get_config()["gripper_key"] == "jaw.pos"
    assert "gripper_key" not in c.GripperVelocityToJointConfig().build().get_config()
    with pytest.raises(SafetyError):
        act(c.GripperVelocityToJointConfig(), {"ee.gripper_vel": math.nan}, {"gripper.pos": 1.0})


def pose(x=0.0, y=0.0, z=0.0):
    return {"ee.x": x, "ee.y": y, "ee.z": z, "ee.wx": 0.1, "ee.wy": 0.2, "ee.wz": 0.3}


HERE = {"ee.x": 0.0, "ee.y": 0.0, "ee.z": 0.0}


def bounds(**kwargs):
    return c.EEBoundsAndSafetyConfig(end_effector_bounds={"min": [-1, -1, 0], "max": [1, 1, 1]}, **kwargs)


def test_end_effector_stays_in_the_box_and_keeps_its_orientation() -> None:
    action = act(bounds(max_ee_step_m=9), pose(2, -2, -2) | {"ee.gripper_pos": 5}, HERE)
    assert action == pose(1, -1, 0) | {"ee.gripper_pos": 5}


def test_end_effector_jumps_are_errors() -> None:
    step = bounds().build()
    step(create_transition(HERE, pose(x=0.05)))
    step(create_transition(HERE, pose(x=0.1)))
    with pytest.raises(SafetyError, match=r"EE jump 0\.123m > 0\.05m"):
        step(create_transition(HERE, pose(x=0.223)))
    with pytest.raises(SafetyError, match="EE jump"):
        step(create_transition(HERE, pose(x=0.151)))
    # The refused command was not sent: the next one is compared with the last that was.
    step(create_transition(HERE, pose(x=0.14)))


def test_the_first_command_is_compared_with_the_arm() -> None:
    with pytest.raises(SafetyError, match="EE jump"):
        act(bounds(), pose(x=0.5), HERE)
    with pytest.raises(FeatureMismatchError, match=r"observation has no 'ee\.x'"):
        act(bounds(), pose(x=0.01), {"a.pos": 1})
    assert act(bounds(check_first_command=False), pose(x=0.5)) == pose(x=0.5)
    step = bounds().build()
    step(create_transition(HERE, pose()))
    step.reset()
    with pytest.raises(SafetyError):
        step(create_transition({"ee.x": 0.5, "ee.y": 0, "ee.z": 0}, pose()))


def test_end_effector_jumps_can_be_shortened(caplog) -> None:
    step = bounds(raise_on_jump=False, max_ee_step_m=0.05).build()
    action = step(create_transition(HERE, pose(x=0.3, y=0.4)))["action"]
    assert (action["ee.x"], action["ee.y"]) == pytest.approx((0.03, 0.04))
    assert "shortened" in caplog.text


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_end_effector_refuses_what_is_no_number(bad) -> None:
    with pytest.raises(SafetyError, match=r"ee\.wy"):
        act(bounds(), pose() | {"ee.wy": bad}, HERE)


@pytest.mark.parametrize("box", [{"min": [1, 0, 0], "max": [0, 1, 1]}, {"min": [0, 0], "max": [1, 1]}])
def test_end_effector_box_is_checked(box) -> None:
    with pytest.raises(ValidationError):
        c.EEBoundsAndSafetyConfig(end_effector_bounds=box)


# --- episodes and people ---------------------------------------------------------------------------------------------


def test_time_limit_keeps_an_earlier_cut() -> None:
    step = c.TimeLimitConfig(max_episode_steps=3).build()
    assert step(create_transition(truncated=True))["truncated"] is True
    assert [step(create_transition())["truncated"] for _ in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("measured", "commanded", "penalty"),
    [(1.0, 29.0, -0.02), (29.0, 1.0, -0.02), (1.0, 1.0, 0.0), (29.0, 29.0, 0.0), (15.0, 29.0, 0.0), (3.0, 29.0, 0.0)],
)
def test_gripper_penalty(measured, commanded, penalty) -> None:
    step = c.GripperPenaltyConfig().build()
    data = {"raw_joint_positions": {"gripper.pos": measured}}
    for action in (np.array([0.0, commanded]), {"gripper.pos": commanded, "a.pos": 99.0}):
        transition = create_transition(action=action, complementary_data=data)
        assert step(transition)["complementary_data"]["discrete_penalty"] == penalty
        assert transition["complementary_data"] == data
    during_reset = create_transition(complementary_data=data)
    assert step(during_reset) is during_reset


class Teleop:
    def __init__(self, action=None, events=None) -> None:
        self.action, self.events = action, events or {}

    def get_action(self):
        return self.action


class TeleopWithButtons(Teleop):
    def get_teleop_events(self):
        return self.events


def test_teleoperator_steps_read_their_device() -> None:
    teleop = TeleopWithButtons({"delta_x": 1.0}, {TeleopEvents.SUCCESS: True})
    step = build_step(c.AddTeleopActionConfig(), {"teleop_device": teleop})
    assert step(create_transition())["complementary_data"] == {"teleop_action": {"delta_x": 1.0}}
    events = build_step(c.AddTeleopEventsConfig(), {"teleop_device": teleop})
    assert events(create_transition(info={"a": 1}))["info"] == {"a": 1, "success": True}
    with pytest.raises(DeviceError, match="no events"):
        build_step(c.AddTeleopEventsConfig(), {"teleop_device": Teleop()})


def test_a_missing_or_wrong_dependency_is_named() -> None:
    with pytest.raises(CheckpointError, match="add_teleop_action_as_info needs teleop_device"):
        build_step(c.AddTeleopEventsConfig())
    with pytest.raises(ConfigError, match="camera"):
        build_step(c.IdentityConfig(), {"camera": 1})


def test_an_intervention_replaces_the_action() -> None:
    step = c.InterventionActionConfig(use_gripper=True).build()
    policy = np.array([9, 9, 9, 9], dtype=np.float32)
    transition = create_transition(
        action=policy,
        info={TeleopEvents.IS_INTERVENTION: True, TeleopEvents.SUCCESS: True, "other": 1},
        complementary_data={"teleop_action": {"delta_x": 0.5, "delta_z": -0.5}},
    )
    result = step(transition)
    assert result["action"].tolist() == [0.5, 0.0, -0.5, 1.0]
    assert result["action"].dtype == np.float32
    assert (result["reward"], result["done"]) == (1.0, True)
    assert result["info"]["other"] == 1
    assert result["info"]["rerecord_episode"] is False
    assert result["complementary_data"]["teleop_action"] is result["action"]
    assert transition["action"] is policy
    assert transition["complementary_data"] == {"teleop_action": {"delta_x": 0.5, "delta_z": -0.5}}


@pytest.mark.parametrize(
    ("flag", "events", "done", "reward"),
    [
        (True, {}, False, 0.0),
        (False, {TeleopEvents.SUCCESS: True}, False, 1.0),
        (False, {TeleopEvents.TERMINATE_EPISODE: True}, True, 0.0),
    ],
)
def test_events_end_episodes(flag, events, done, reward) -> None:
    step = c.InterventionActionConfig(terminate_on_success=flag).build()
    action = np.zeros(3)
    result = step(create_transition(action=action, info=dict(events)))
    assert (result["done"], result["reward"]) == (done, reward)
    assert result["action"] is action


def test_an_intervention_without_an_action_is_an_error() -> None:
    step = c.InterventionActionConfig().build()
    with pytest.raises(FeatureMismatchError, match="unknown"):
        step(create_transition(action=np.zeros(3), info={TeleopEvents.IS_INTERVENTION: True}))
    with pytest.raises(FeatureMismatchError, match="dict"):
        step(create_transition(action={"a": 1}))
