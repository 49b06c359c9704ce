"""What holds for every step: saved and loaded it is the same, its input stays, its features tell the truth."""

import copy
import importlib.metadata
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.processors import DataProcessorPipeline, ProcessorStep, build_step, create_transition
from lerobot.core.processors import config as c
from lerobot.core.processors.state import decode, encode
from lerobot.core.registry import registry
from lerobot.core.types import FeatureSpec

JOINTS = {"a.pos": 1.0, "b.pos": -2.0, "gripper.pos": 3.0}
POSE = {"ee.x": 0.0, "ee.y": 0.01, "ee.z": 0.02, "ee.wx": 0.0, "ee.wy": 0.0, "ee.wz": 0.0}
DELTAS = {"delta_x": 0.1, "delta_y": 0.2, "delta_z": 0.3, "gripper": 1.0}
VECTOR = {"action": np.array([1.0, 2.0, 3.0, 4.0])}


class Teleop:
    def get_action(self) -> dict[str, float]:
        return {"x": 1.0}

    def get_teleop_events(self) -> dict[str, bool]:
        return {"success": True}


def example(config: Any, action: Any, observation: Any = None, **dependencies: Any) -> Any:
    return pytest.param(config, action, observation, dependencies, id=config.type)


EXAMPLES = [
    example(c.IdentityConfig(), JOINTS, JOINTS),
    example(c.RenameObservationsConfig(rename_map={"a.pos": "z"}), None, JOINTS),
    example(c.RenameActionsConfig(rename_map={"a.pos": "z"}), JOINTS),
    example(c.SelectKeysConfig(entry="observation", keys=["b.pos", "a.pos"]), None, JOINTS),
    example(c.RobotToPolicyActionConfig(motor_names=["b", "a", "gripper"]), JOINTS),
    example(c.PolicyToRobotActionConfig(motor_names=["a", "b", "c", "d"]), VECTOR),
    example(c.ClipConfig(limits={"a.pos": (-0.5, 0.5)}), JOINTS),
    example(c.ConvertUnitsConfig(conversions={"a.pos": {"source": "deg", "target": "rad"}}), JOINTS),
    example(c.TensorToDeltaActionConfig(), VECTOR),
    example(c.DeltaToRobotActionConfig(), DELTAS),
    example(c.RelativeJointActionsConfig(motor_names=["a", "b"]), JOINTS, JOINTS),
    example(c.AbsoluteJointActionsConfig(motor_names=["a", "b"]), JOINTS, JOINTS),
    example(c.GripperVelocityToJointConfig(), {"ee.gripper_vel": 1.0}, JOINTS),
    example(c.EEBoundsAndSafetyConfig(end_effector_bounds={"min": [0, 0, 0], "max": [1, 1, 1]}), POSE, POSE),
    example(c.TimeLimitConfig(max_episode_steps=1), JOINTS),
    example(c.GripperPenaltyConfig(), VECTOR),
    example(c.InterventionActionConfig(), VECTOR),
    example(c.AddTeleopActionConfig(), JOINTS, teleop_device=Teleop()),
    example(c.AddTeleopEventsConfig(), JOINTS, teleop_device=Teleop()),
]


def transition_of(action: Any, observation: Any) -> dict[str, Any]:
    data = {"raw_joint_positions": {"gripper.pos": 1.0}}
    value = action["action"] if action is VECTOR else action
    return create_transition(observation, value, info={"n": 1}, complementary_data=data)


def frozen(transition: Any) -> str:
    return repr(transition)


def test_there_is_an_example_of_every_registered_step_and_names_round_trip() -> None:
    points = importlib.metadata.distribution("lerobot-core").entry_points.select(group="lerobot.processors")
    assert {point.name for point in points} == {parameter.id for parameter in EXAMPLES}
    for point in points:
        config_class = registry.config_class("processor", point.name)
        assert config_class.model_fields["type"].default == point.name
        assert issubclass(registry.implementation(config_class.model_construct()), ProcessorStep)


@pytest.mark.parametrize(("config", "action", "observation", "dependencies"), EXAMPLES)
def test_the_input_stays(config, action, observation, dependencies) -> None:
    transition = transition_of(action, observation)
    before, inside = dict(transition), copy.deepcopy(transition)
    result = build_step(config, dependencies)(transition)
    assert frozen(transition) == frozen(inside)
    assert all(transition[key] is value for key, value in before.items())
    assert list(result) == list(transition)


@pytest.mark.parametrize(("config", "action", "observation", "dependencies"), EXAMPLES)
def test_saved_and_loaded_it_does_the_same(config, action, observation, dependencies, tmp_path) -> None:
    step = build_step(config, dependencies)
    DataProcessorPipeline([step], "p").save_pretrained(tmp_path)
    overrides = {config.type: dependencies} if dependencies else {}
    loaded = DataProcessorPipeline.from_pretrained(tmp_path / "p.json", overrides=overrides)[0]
    assert loaded.config == config
    transition = transition_of(action, observation)
    assert frozen(loaded(transition)) == frozen(step(transition))


def declared(values: Any) -> dict[str, FeatureSpec]:
    return {key: FeatureSpec(shape=np.shape(value)) for key, value in (values or {}).items()}


@pytest.mark.parametrize(("config", "action", "observation", "dependencies"), EXAMPLES)
def test_features_equal_the_real_output(config, action, observation, dependencies) -> None:
    step = build_step(config, dependencies)
    before = {"action": declared(action), "observation": declared(observation)}
    promised = DataProcessorPipeline([step]).transform_features(before)
    result = step(transition_of(action, observation))
    real_action = result["action"] if isinstance(result["action"], dict) else {"action": result["action"]}
    for entry, real in (("action", real_action), ("observation", result["observation"] or {})):
        if entry == "action" and result["action"] is None:
            continue
        assert list(promised[entry]) == list(real)
        for key, value in real.items():
            if not isinstance(config, c.InterventionActionConfig):
                assert promised[entry][key].shape == np.shape(value)
            if promised[entry][key].range is not None:
                low, high = promised[entry][key].range
                assert low <= value <= high


finite = st.floats(-1e6, 1e6)
keys = st.text(min_size=1, max_size=8)


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.dictionaries(keys, keys, max_size=4).map(lambda m: c.RenameObservationsConfig(rename_map=m)),
            st.builds(
                c.GripperVelocityToJointConfig, speed_factor=finite, clip_min=finite, discrete_gripper=st.booleans()
            ),
            st.builds(c.GripperPenaltyConfig, penalty=finite, gripper_index=st.integers(-3, 3), gripper_key=keys),
            st.builds(c.TimeLimitConfig, max_episode_steps=st.integers(1, 10**9)),
            st.lists(keys, min_size=1).map(lambda m: c.PolicyToRobotActionConfig(motor_names=m)),
        ),
        max_size=5,
    ),
    st.text(min_size=1, max_size=20),
)
def test_any_pipeline_round_trips(configs, name) -> None:
    pipeline = DataProcessorPipeline([config.build() for config in configs], name)
    with tempfile.TemporaryDirectory() as folder:
        pipeline.save_pretrained(folder, config_filename="p.json")
        loaded = DataProcessorPipeline.from_pretrained(folder, "p.json")
    assert loaded.name == name
    assert [step.config for step in loaded.steps] == configs
    assert loaded.get_config() == pipeline.get_config()


@settings(max_examples=50)
@given(
    st.sampled_from(["<f4", "<f8", "<i8", "|u1", "<f2"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.binary(min_size=216),
)
def test_state_round_trips_bit_for_bit(dtype, shape, noise) -> None:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    array = np.frombuffer((noise * 3)[:size], dtype=dtype).reshape(shape)
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(encode({"a.b": array, "t": array.T}))
        file.flush()
        loaded = decode(Path(file.name), "numpy")
    assert (loaded["a.b"].dtype, loaded["a.b"].shape) == (array.dtype, array.shape)
    assert loaded["a.b"].tobytes() == array.tobytes()
    assert loaded["t"].tobytes() == array.T.tobytes()


units = st.sampled_from(["deg", "rad", "percent", "m100"])


@given(units, units, st.floats(-180, 0), st.floats(1, 180), st.floats(-1000, 1000))
def test_unit_conversion_is_undone(source, target, low, high, value) -> None:
    conversion = {"source": source, "target": target, "range_deg": (low, high)}
    step = c.ConvertUnitsConfig(conversions={"a": conversion}).build()
    there = step(create_transition(action={"a": value}))
    back = step.inverse()(there)["action"]["a"]
    assert back == pytest.approx(value, rel=1e-9, abs=1e-7)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_joint_deltas_are_undone(target, measured) -> None:
    relative = c.RelativeJointActionsConfig(motor_names=["a"]).build()
    absolute = c.AbsoluteJointActionsConfig(motor_names=["a"]).build()
    result = absolute(relative(create_transition({"a.pos": measured}, {"a.pos": target})))
    assert result["action"]["a.pos"] == pytest.approx(target, rel=1e-12, abs=1e-12)


@given(st.lists(finite, min_size=1, max_size=6))
def test_vectors_and_robot_actions_are_inverse(values) -> None:
    names = [f"m{index}" for index in range(len(values))]
    vector = np.array(values, dtype=np.float32)
    robot = c.PolicyToRobotActionConfig(motor_names=names).build()(create_transition(action=vector))
    back = c.RobotToPolicyActionConfig(motor_names=names).build()(robot)["action"]
    np.testing.assert_array_equal(back, vector, strict=True)
