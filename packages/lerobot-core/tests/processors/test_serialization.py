"""The saved form: byte for byte the peer's, safe to load, explained when it cannot be."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError, PluginError, PluginNotInstalledError
from lerobot.core.processors import (
    DataProcessorPipeline,
    ObservationProcessorStep,
    ProcessorMigrationError,
    create_transition,
    identity_transition,
)
from lerobot.core.processors import config as c
from lerobot.core.processors import state as state_files
from lerobot.core.registry import registry

GOLDEN = """{
  "name": "My Pipe-1",
  "steps": [
    {
      "registry_name": "rename_observations_processor",
      "config": {
        "rename_map": {
          "a": "b"
        }
      }
    },
    {
      "class": "lerobot.processor.pipeline.IdentityProcessorStep",
      "config": {}
    },
    {
      "registry_name": "time_limit_processor",
      "config": {
        "max_episode_steps": 7
      }
    },
    {
      "registry_name": "gripper_penalty_processor",
      "config": {
        "penalty": -0.02,
        "max_gripper_pos": 30.0,
        "open_threshold": 0.1,
        "closed_threshold": 0.9
      }
    },
    {
      "registry_name": "intervention_action_processor",
      "config": {
        "use_gripper": true,
        "terminate_on_success": false
      }
    },
    {
      "registry_name": "policy_action_to_robot_action_processor",
      "config": {
        "motor_names": [
          "x",
          "y"
        ]
      }
    }
  ]
}"""
"""Written by huggingface/lerobot 0.6.1 for these steps."""

STEPS = (
    c.RenameObservationsConfig(rename_map={"a": "b"}),
    c.IdentityConfig(),
    c.TimeLimitConfig(max_episode_steps=7),
    c.GripperPenaltyConfig(),
    c.InterventionActionConfig(use_gripper=True, terminate_on_success=False),
    c.PolicyToRobotActionConfig(motor_names=["x", "y"]),
)


def write(folder: Path, *steps: dict, name: str = "pipe.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"name": "pipe", "steps": list(steps)}))
    return path


def entry(name: str, **config) -> dict:
    return {"registry_name": name, "config": config}


def load(path, **kwargs) -> DataProcessorPipeline:
    return DataProcessorPipeline.from_pretrained(path, **kwargs)


def save(folder: Path, *steps, name: str = "pipe") -> Path:
    return DataProcessorPipeline(steps, name).save_pretrained(folder)


# --- the format ------------------------------------------------------------------------------------------------------


def test_the_json_equals_the_peers_byte_for_byte(tmp_path) -> None:
    save(tmp_path, *(config.build() for config in STEPS), name="My Pipe-1")
    assert [path.name for path in tmp_path.iterdir()] == ["my_pipe_1.json"]
    assert (tmp_path / "my_pipe_1.json").read_text() == GOLDEN


def test_the_peers_json_loads(tmp_path) -> None:
    (tmp_path / "my_pipe_1.json").write_text(GOLDEN)
    for path, filename in ((tmp_path, "my_pipe_1.json"), (tmp_path / "my_pipe_1.json", None)):
        pipeline = load(path, config_filename=filename)
        assert pipeline.name == "My Pipe-1"
        assert [step.config for step in pipeline.steps] == list(STEPS)


def test_configurations_the_peer_loses_are_kept(tmp_path) -> None:
    configs = [
        c.TensorToDeltaActionConfig(use_gripper=False),
        c.DeltaToRobotActionConfig(position_scale=2, noise_threshold=0.5),
        c.GripperVelocityToJointConfig(speed_factor=1, discrete_gripper=True),
        c.EEBoundsAndSafetyConfig(end_effector_bounds={"min": [0, 0, 0], "max": [1, 1, 1]}, raise_on_jump=False),
    ]
    save(tmp_path, *(config.build() for config in configs))
    assert [step.config for step in load(tmp_path / "pipe.json").steps] == configs


def test_empty_configurations_of_the_peer_mean_its_defaults(tmp_path) -> None:
    names = ("map_tensor_to_delta_action_dict", "map_delta_action_to_robot_action", "gripper_velocity_to_joint")
    pipeline = load(write(tmp_path, *(entry(name) for name in names)))
    assert [type(step.config)() for step in pipeline.steps] == [step.config for step in pipeline.steps]


def test_state_lies_in_a_file_of_its_own(tmp_path, scaled) -> None:
    save(tmp_path, c.IdentityConfig().build(), scaled, name="Pre.Processor")
    name = "pre_processor_step_1_scale_processor"
    assert (tmp_path / "pre_processor.json").is_file()
    described = json.loads((tmp_path / "pre_processor.json").read_text())
    assert described["steps"][1]["state_file"] == f"{name}.safetensors"
    assert list(load_file(tmp_path / f"{name}.safetensors")) == ["state.factor"]
    pipeline = load(tmp_path / "pre_processor.json", to_transition=identity_transition)
    np.testing.assert_array_equal(pipeline[1].factor, np.array([2, 3], np.float32), strict=True)
    assert pipeline(create_transition({"state": np.ones(2)}))["state"].tolist() == [2, 3]


def test_default_folder_and_custom_file_name(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    pipeline = DataProcessorPipeline([c.IdentityConfig().build()], "A b")
    folder = pipeline.save_pretrained(config_filename="other.json")
    assert folder == tmp_path / "processors" / "a_b"
    assert [path.name for path in folder.iterdir()] == ["other.json"]


def test_in_memory_round_trip(scaled) -> None:
    pipeline = DataProcessorPipeline([scaled], "p")
    states = pipeline.state_dict()
    assert list(states) == ["p_step_0_scale_processor"]
    copy = DataProcessorPipeline.from_config(pipeline.get_config())
    assert copy[0].factor is None
    with pytest.raises(CheckpointError, match="missing state: p_step_0_scale_processor"):
        copy.load_state_dict({})
    with pytest.raises(CheckpointError, match="unknown state: q"):
        copy.load_state_dict({**states, "q": {}})
    copy.load_state_dict(states)
    assert copy[0].factor is scaled.factor


@pytest.fixture
def core_alone(monkeypatch):
    """The steps of lerobot-core and no others, whatever is installed beside it."""
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-core")
    registry.refresh()
    yield
    monkeypatch.undo()
    registry.refresh()


@pytest.mark.usefixtures("core_alone")
def test_real_files_name_the_package_of_every_step_that_is_missing(policy_configs) -> None:
    files = sorted(policy_configs.glob("*/policy_*processor.json"))
    assert files
    for path in files:
        described = json.loads(path.read_text())
        known = [step for step in described["steps"] if step["registry_name"] == "rename_observations_processor"]
        assert len(DataProcessorPipeline.from_config({"name": "known", "steps": known})) == 1
        names = [step["registry_name"] for step in described["steps"]]
        absent = [name for name in names if name not in registry.names("processor")]
        if not absent:
            assert [step.registry_name for step in load(path).steps] == names
            continue
        with pytest.raises(CheckpointError, match=f"step {names.index(absent[0])} .{absent[0]}.") as raised:
            load(path)
        cause = raised.value.__cause__
        assert isinstance(cause, PluginNotInstalledError)
        assert cause.distribution in str(raised.value)
        assert "pip install" in raised.value.hint


# --- artifacts -------------------------------------------------------------------------------------------------------


def test_artifacts_travel_and_never_overwrite_each_other(tmp_path, scale) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    save(first, scale(vocabulary="one two").build(), scale(vocabulary="three").build())
    entries = json.loads((first / "pipe.json").read_text())["steps"]
    assert entries[0]["artifacts"] == {"vocabulary": "vocabulary"} == {"vocabulary": entries[0]["config"]["vocabulary"]}
    assert entries[1]["artifacts"] == {"vocabulary": "vocabulary_1"}
    loaded = load(first / "pipe.json")
    assert loaded[0].config.vocabulary == str(first / "vocabulary")
    loaded.save_pretrained(second)
    assert (second / "vocabulary_1" / "words.txt").read_text() == "three"
    loaded.save_pretrained(first)
    assert (first / "vocabulary" / "words.txt").read_text() == "one two"
    assert sorted(path.name for path in first.iterdir()) == ["pipe.json", "vocabulary", "vocabulary_1"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", "..\\up", "C:\\up", ""])
def test_paths_out_of_the_folder_are_refused(tmp_path, scale, path) -> None:
    step = entry("scale_processor")
    for wrong in (step | {"artifacts": {"vocabulary": path}}, step | {"state_file": path}):
        with pytest.raises(CheckpointError, match="outside its folder"):
            load(write(tmp_path, wrong))


# --- what may be loaded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [{"class": "evil_module.Step"}, {"registry_name": "evil_module:Step"}])
def test_code_named_by_a_file_is_not_imported_unless_trusted(tmp_path, monkeypatch, named) -> None:
    (tmp_path / "evil_module.py").write_text(
        "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n"
        "from lerobot.core.processors import IdentityProcessorStep\n"
        "from lerobot.core.processors.config import IdentityConfig\n"
        "class Step(IdentityProcessorStep):\n"
        "    def __init__(self, a): super().__init__(IdentityConfig()); self.a = a\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path = write(tmp_path, {**named, "config": {"a": 1}})
    with pytest.raises(CheckpointError, match=r"wants Python code imported: 'evil_module\.Step'"):
        load(path)
    assert not (tmp_path / "evil_module.ran").exists()
    assert load(path, trust_remote_code=True, overrides={"Step": {"a": 5}})[0].a == 5
    with pytest.raises(CheckpointError, match="cannot be built"):
        load(path, trust_remote_code=True, overrides={"Step": {"b": 5}})


@pytest.mark.parametrize(
    ("class_path", "match"),
    [("no_such.Thing", "cannot be imported"), ("json.Nothing", "cannot be imported"), ("Bare", "cannot be imported"),
     ("collections.OrderedDict", "no processor step")],
)  # fmt: skip
def test_trusted_code_that_does_not_fit_is_explained(tmp_path, class_path, match) -> None:
    with pytest.raises(CheckpointError, match=match):
        load(write(tmp_path, {"class": class_path, "config": {}}), trust_remote_code=True)


class UnnamedConfig(c.IdentityConfig):
    type: str = ""


def test_a_step_without_a_name_is_saved_by_class(tmp_path) -> None:
    save(tmp_path, UnnamedConfig().build())
    described = json.loads((tmp_path / "pipe.json").read_text())["steps"][0]
    assert described == {"class": f"{__name__}.UnnamedConfig", "config": {}}
    assert isinstance(load(tmp_path / "pipe.json", trust_remote_code=True)[0].config, UnnamedConfig)

    class Local(ObservationProcessorStep):
        def observation(self, observation):
            return observation

    class LocalConfig(UnnamedConfig):
        pass

    with pytest.raises(CheckpointError, match="inside a function"):
        save(tmp_path, Local(LocalConfig()))


# --- overrides -------------------------------------------------------------------------------------------------------


class Device:
    def get_action(self):
        return {"a": 1.0}


def test_overrides_replace_values_and_bring_devices(tmp_path) -> None:
    path = write(
        tmp_path,
        entry("rename_observations_processor", rename_map={"a": "b"}),
        entry("add_teleop_action_as_complementary_data"),
    )
    pipeline = load(
        path,
        overrides={
            "rename_observations_processor": {"rename_map": {"c": "d"}},
            "add_teleop_action_as_complementary_data": {"teleop_device": Device()},
        },
    )
    assert pipeline[0].config.rename_map == {"c": "d"}
    assert pipeline[1](create_transition())["complementary_data"] == {"teleop_action": {"a": 1.0}}
    with pytest.raises(
        CheckpointError, match=r"step 1 \(add_teleop_action_as_complementary_data\) needs teleop_device"
    ):
        load(path)


def test_an_override_nobody_uses_lists_the_steps(tmp_path) -> None:
    path = write(tmp_path, entry("rename_observations_processor"), entry("identity_processor"))
    with pytest.raises(ConfigError) as raised:
        load(path, overrides={"rename_observation_processor": {}, "zzz": {}})
    first, second = raised.value.problems
    assert first.given == "rename_observation_processor"
    assert "rename_observations_processor, identity_processor" in first.expected
    assert first.hint == "nearest: rename_observations_processor"
    assert second.given == "zzz"


def test_an_override_of_an_unknown_value_lists_the_known(tmp_path) -> None:
    path = write(tmp_path, entry("time_limit_processor", max_episode_steps=3))
    with pytest.raises(ConfigError, match="max_steps: expected one of max_episode_steps"):
        load(path, overrides={"time_limit_processor": {"max_steps": 5}})


# --- explanations ----------------------------------------------------------------------------------------------------


def test_every_wrong_value_is_one_line(tmp_path) -> None:
    path = write(tmp_path, entry("gripper_penalty_processor", penalty="much", max_gripper_pos=0, penality=1))
    with pytest.raises(ConfigError) as raised:
        load(path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert all(f"{path} step 0 (gripper_penalty_processor)." in line for line in lines)
    assert "nearest: penalty" in lines[2]
    missing = write(tmp_path, entry("time_limit_processor"))
    with pytest.raises(ConfigError, match="max_episode_steps: expected a value"):
        load(missing)


def test_an_unknown_step_is_explained_by_the_registry(tmp_path) -> None:
    path = write(tmp_path, entry("clip_procesor"))
    with pytest.raises(CheckpointError, match="Did you mean 'clip_processor'") as raised:
        load(path)
    assert isinstance(raised.value.__cause__, PluginError)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "not valid JSON"),
        ("[]", "expected: a processor pipeline"),
        ('{"name": "x"}', "steps"),
        ('{"steps": [{}]}', "either 'registry_name' or 'class'"),
        ('{"steps": [{"registry_name": "a", "class": "b"}]}', "either 'registry_name' or 'class'"),
        ('{"steps": [{"registry_name": "a", "novelty": 1}]}', r"steps\.0\.novelty"),
        ('{"steps": [{"registry_name": "a", "config": 1}]}', r"steps\.0\.config"),
    ],
)
def test_damaged_json_is_explained(tmp_path, text, match) -> None:
    (tmp_path / "pipe.json").write_text(text)
    with pytest.raises(CheckpointError, match=match) as raised:
        load(tmp_path / "pipe.json")
    assert str(tmp_path / "pipe.json") in str(raised.value)


def test_missing_places_are_explained(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path / "nowhere", config_filename="a.json")
    with pytest.raises(CheckpointError, match="which pipeline"):
        load(tmp_path)
    with pytest.raises(CheckpointError, match="does not exist") as raised:
        load(tmp_path, config_filename="a.json")
    assert not isinstance(raised.value, ProcessorMigrationError)
    write(tmp_path, name="policy_preprocessor.json")
    with pytest.raises(CheckpointError, match=r"expected: one of policy_preprocessor\.json"):
        load(tmp_path, config_filename="a.json")


def test_a_model_from_before_processor_files_is_recognised(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"type": "act"}')
    with pytest.raises(ProcessorMigrationError, match="migrate_policy_normalization"):
        load(tmp_path, config_filename="policy_preprocessor.json")


def test_state_files_are_checked(tmp_path, scaled) -> None:
    save(tmp_path, scaled)
    path, state = tmp_path / "pipe.json", tmp_path / "pipe_step_0_scale_processor.safetensors"
    whole = state.read_bytes()
    state.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(path)
    state.unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        load(path)
    save_file({"other": np.zeros(1)}, state)
    with pytest.raises(CheckpointError, match="does not accept its state"):
        load(path)


def test_states_that_cannot_be_saved_are_refused() -> None:
    with pytest.raises(CheckpointError, match="'a' is a list"):
        state_files.encode({"a": [1.0]})
    with pytest.raises(CheckpointError, match="framework 'jax'"):
        state_files.decode(Path("x"), "jax")


def test_a_step_that_has_no_state_refuses_a_file_of_one(tmp_path) -> None:
    save_file({"a": np.zeros(1)}, tmp_path / "s.safetensors")
    path = write(tmp_path, entry("identity_processor") | {"state_file": "s.safetensors"})
    with pytest.raises(CheckpointError) as raised:
        load(path)
    assert isinstance(raised.value.__cause__, FeatureMismatchError)


# --- the Hub ---------------------------------------------------------------------------------------------------------


def test_repositories_are_fetched_by_the_callers_resolver(tmp_path, scaled) -> None:
    save(tmp_path, scaled)
    asked = []

    def resolve(repo: str, relative: str) -> Path:
        asked.append((repo, relative))
        if not (tmp_path / relative).exists():
            raise FileNotFoundError(relative)
        return tmp_path / relative

    pipeline = load("someone/model", config_filename="pipe.json", resolve=resolve)
    assert pipeline[0].factor.tolist() == [2, 3]
    assert asked == [
        ("someone/model", "pipe.json"),
        ("someone/model", "pipe_step_0_scale_processor.safetensors"),
    ]
    with pytest.raises(CheckpointError, match=r"someone/model has no absent\.json"):
        load("someone/model", config_filename="absent.json", resolve=resolve)
    with pytest.raises(CheckpointError, match="does not exist"):
        load("someone/model", config_filename="pipe.json")


# --- writing ---------------------------------------------------------------------------------------------------------


def test_a_failed_save_leaves_the_old_pipeline_whole(tmp_path, scaled, monkeypatch) -> None:
    save(tmp_path, scaled)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    scaled.factor = scaled.factor * 100
    original = os.replace

    def fail(source, target):
        if str(target).endswith(".safetensors"):
            raise OSError("disk full")
        return original(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(tmp_path, scaled)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
