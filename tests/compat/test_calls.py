"""Calls in the shapes of huggingface/lerobot: they work, or say what is said today."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lerobot.act.policy import ACTPolicy as OurPolicy
from lerobot.core.config.base import ConfigModel
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.types import FeatureSpec

STATE, FORCE, CAMERA = "observation.state", "observation.environment_state", "observation.images.front"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    monkeypatch.delenv("LEROBOT_HOME", raising=False)


@pytest.fixture
def dataset():
    """Three episodes of four frames without pictures."""
    from lerobot.datasets import LeRobotDataset

    vector = {"dtype": "float32", "shape": (2,), "names": ["a.pos", "b.pos"]}
    features = {STATE: vector, FORCE: vector, "action": vector}
    dataset = LeRobotDataset.create("me/rows", 10, features, robot_type="fake")
    for episode in range(3):
        for frame in range(4):
            values = np.array([episode, frame], np.float32)
            dataset.add_frame({STATE: values, FORCE: values, "action": values + 0.5, "task": "Count"})
        dataset.save_episode()
    dataset.finalize()
    return LeRobotDataset("me/rows")


@pytest.fixture
def config():
    """A small ACT as programs configure it."""
    from lerobot.configs import FeatureType, PolicyFeature

    from lerobot.policies import ACTConfig

    return ACTConfig(
        input_features={
            STATE: PolicyFeature(type=FeatureType.STATE, shape=(2,)),
            CAMERA: PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 32)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        chunk_size=4,
        n_action_steps=4,
        dim_model=16,
        dim_feedforward=16,
        n_heads=2,
        n_encoder_layers=1,
        n_vae_encoder_layers=1,
        pretrained_backbone_weights=None,
        device="cpu",
    )


def stats_of(*keys: str) -> dict[str, dict[str, np.ndarray]]:
    shapes = {CAMERA: (3, 1, 1)}
    return {
        key: {"mean": np.ones(shapes.get(key, (2,)), np.float32), "std": np.full(shapes.get(key, (2,)), 2, np.float32)}
        for key in keys
    }


# --- policies --------------------------------------------------------------------------------------------------------


def test_a_configuration_can_be_changed_and_knows_its_optimizer(config) -> None:
    config.n_action_steps = 2
    optimizer = config.get_optimizer_preset()
    weights = [torch.nn.Parameter(torch.zeros(2))]
    built = optimizer.build([{"params": weights, "lr": 1e-3}])
    assert isinstance(built, torch.optim.AdamW)
    assert built.param_groups[0]["lr"] == 1e-3
    assert built.param_groups[0]["weight_decay"] == config.optimizer_weight_decay
    assert config.get_scheduler_preset() is None
    with pytest.raises(ValueError, match="n_action_steps"):
        config.n_action_steps = 0


def test_a_policy_is_saved_and_loaded_by_its_class(config, tmp_path: Path) -> None:
    from lerobot.configs.policies import PreTrainedConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    policy = ACTPolicy(config)
    before, after = make_pre_post_processors(config, dataset_stats=stats_of(STATE, CAMERA, "action"))
    policy.save_pretrained(tmp_path / "act")
    before.save_pretrained(tmp_path / "act")
    after.save_pretrained(tmp_path / "act")
    loaded = ACTPolicy.from_pretrained(tmp_path / "act", local_files_only=True)
    assert isinstance(loaded, ACTPolicy)
    assert isinstance(loaded, OurPolicy)
    loaded.config.n_action_steps = 1
    for name, weight in policy.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name])
    before, after = make_pre_post_processors(
        loaded.config, str(tmp_path / "act"), preprocessor_overrides={"device_processor": {"device": "cpu"}}
    )
    assert after(torch.zeros(1, 2)).tolist() == [[1.0, 1.0]]
    known = PreTrainedConfig.from_pretrained(tmp_path / "act")
    assert isinstance(known, PreTrainedConfig)
    known.pretrained_path = str(tmp_path / "act")


def test_make_policy_takes_the_features_of_a_dataset(dataset, config) -> None:
    from lerobot.policies.factory import get_policy_class, make_policy, make_policy_config

    config.input_features = config.output_features = {}
    cfg = make_policy_config("diffusion", down_dims=(8, 16), device="cpu")
    with pytest.raises(ValueError, match="ds_meta or env_cfg"):
        make_policy(cfg)
    policy = make_policy(config, ds_meta=dataset.meta)
    assert isinstance(policy, get_policy_class("act"))
    assert policy.config.input_features.keys() == {STATE, "observation.environment_state"}
    assert policy.config.output_features["action"].shape == (2,)


def test_calls_of_the_first_releases_say_what_is_said_today(config) -> None:
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy

    with pytest.raises(TypeError, match="input_shapes is now input_features="):
        ACTConfig(input_shapes={STATE: [2]}, output_shapes={"action": [2]})
    with pytest.raises(TypeError, match=r"make_pre_post_processors\(config, dataset_stats="):
        ACTPolicy(config, dataset_stats={})
    with pytest.raises(TypeError, match="has no argument nonsense"):
        ACTPolicy.from_pretrained("nowhere", nonsense=1)


# --- datasets --------------------------------------------------------------------------------------------------------


def test_edits_give_datasets(dataset) -> None:
    from lerobot.datasets.dataset_tools import (
        add_features,
        delete_episodes,
        merge_datasets,
        modify_features,
        split_dataset,
    )

    fewer = delete_episodes(dataset, episode_indices=[1], repo_id="me/fewer")
    assert [int(fewer[index][STATE][0]) for index in range(0, 8, 4)] == [0, 2]
    parts = split_dataset(dataset, splits={"train": 0.67, "val": 0.33})
    assert {name: part.num_episodes for name, part in parts.items()} == {"train": 2, "val": 1}
    both = merge_datasets([fewer, parts["val"]], output_repo_id="me/both")
    assert both.num_episodes == 3
    count = {"dtype": "int64", "shape": (1,), "names": None}
    more = add_features(
        dataset, {"count": (lambda row, episode, frame: 10 * episode + frame, count)}, repo_id="me/more"
    )
    assert [int(item["count"]) for item in more] == [10 * episode + frame for episode in range(3) for frame in range(4)]
    other = modify_features(
        more, add_features={"half": (np.arange(12) / 2, count | {"dtype": "float32"})}, remove_features="count"
    )
    assert {"half", "count"} & set(other.features) == {"half"}
    assert float(other[11]["half"]) == 5.5
    assert dataset.num_episodes == 3


def test_an_error_while_recording_leaves_what_was_saved(tmp_path: Path) -> None:
    from lerobot.datasets import LeRobotDataset, VideoEncodingManager

    vector = {"dtype": "float32", "shape": (1,), "names": ["a.pos"]}
    dataset = LeRobotDataset.create("me/broken", 10, {"action": vector})
    frame = {"action": np.zeros(1, np.float32), "task": "Try"}
    with pytest.raises(RuntimeError, match="cable"), VideoEncodingManager(dataset):  # noqa: PT012 - as programs do it
        dataset.add_frame(frame)
        dataset.save_episode()
        dataset.add_frame(frame)
        raise RuntimeError("a cable came off")
    assert LeRobotDataset("me/broken").num_frames == 1


class FarAway:
    """A teleoperator that asks for the end of every joint's range at once."""

    def __init__(self, robot) -> None:
        self.action = {key: feature.range[1] for key, feature in robot.action_features.items()}

    def get_action(self):
        return dict(self.action)


def test_what_is_recorded_is_what_was_sent() -> None:
    from lerobot.robots import make_robot_from_config
    from lerobot.scripts.lerobot_record import record_loop
    from lerobot.utils.feature_utils import hw_to_dataset_features

    from lerobot.core.fake.config import FakeRobotConfig
    from lerobot.datasets import LeRobotDataset

    robot = make_robot_from_config(FakeRobotConfig())
    far = FarAway(robot)
    features = {
        **hw_to_dataset_features(robot.action_features, "action"),
        **hw_to_dataset_features(robot.observation_features, "observation"),
    }
    dataset = LeRobotDataset.create("me/sent", 20, features, robot_type=robot.robot_type)
    robot.connect()
    record_loop(robot, {"exit_early": False}, 20, dataset=dataset, teleop=far, control_time_s=0.3, single_task="Go")
    sent = [list(entry.values.values()) for entry in robot.log if entry.event == "command"]
    robot.disconnect()
    dataset.save_episode()
    dataset.finalize()
    stored = [item["action"].tolist() for item in LeRobotDataset("me/sent")]
    assert stored == [pytest.approx(values) for values in sent]
    assert max(abs(a - b) for a, b in zip(stored[-1], far.action.values(), strict=True)) > 10


def test_a_sampler_takes_the_arguments_of_documents(dataset) -> None:
    from lerobot.datasets.sampler import EpisodeAwareSampler

    episodes = dataset.meta.episodes
    sampler = EpisodeAwareSampler(
        episodes["dataset_from_index"], episodes["dataset_to_index"], drop_n_last_frames=3, shuffle=True
    )
    assert sorted(sampler) == [0, 4, 8]


# --- processors ------------------------------------------------------------------------------------------------------


def test_a_step_that_a_program_defines_runs_is_saved_and_loaded(tmp_path: Path) -> None:
    from lerobot.configs.types import FeatureType, PipelineFeatureType, PolicyFeature
    from lerobot.processor import ProcessorStepRegistry, RobotActionProcessorStep, RobotProcessorPipeline
    from lerobot.processor.converters import robot_action_observation_to_transition, transition_to_robot_action

    from lerobot.core.registry import registry

    with registry.temporary():

        @ProcessorStepRegistry.register("halve_gripper")
        @dataclass
        class HalveGripper(RobotActionProcessorStep):
            share: float = 0.5

            def action(self, action):
                action["gripper.pos"] *= self.share
                return action

            def transform_features(self, features):
                features[PipelineFeatureType.ACTION]["seen"] = PolicyFeature(type=FeatureType.ACTION, shape=(1,))
                return features

        converters = {"to_transition": robot_action_observation_to_transition, "to_output": transition_to_robot_action}
        pipeline = RobotProcessorPipeline([HalveGripper(share=0.25)], name="halving", **converters)
        assert pipeline(({"gripper.pos": 40.0}, {})) == {"gripper.pos": 10.0}
        features = pipeline.transform_features({"action": {}, "observation": {}})
        assert features["action"] == {"seen": FeatureSpec()}
        pipeline.save_pretrained(tmp_path)
        again = RobotProcessorPipeline.from_pretrained(tmp_path, "halving.json", **converters)
        assert again(({"gripper.pos": 40.0}, {})) == {"gripper.pos": 10.0}
        assert ProcessorStepRegistry.get("halve_gripper") is HalveGripper
        assert "rename_observations_processor" in ProcessorStepRegistry.list()


def test_steps_take_their_settings_as_arguments() -> None:
    from lerobot.processor import RenameObservationsProcessorStep, TimeLimitProcessorStep

    assert RenameObservationsProcessorStep({"a": "b"}).config.rename_map == {"a": "b"}
    assert TimeLimitProcessorStep(max_episode_steps=3).get_config() == {"max_episode_steps": 3}
    with pytest.raises(TypeError, match="has no argument steps; it has max_episode_steps"):
        TimeLimitProcessorStep(steps=3)


def test_kinematics_go_there_and_back() -> None:
    """The pose that forward kinematics gives is met again, from another start; a gripper is handed on."""
    from lerobot.model.kinematics import RobotKinematics

    names = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
    arm = RobotKinematics("so101", joint_names=names)
    joints = np.array([10.0, -20.0, 30.0, 25.0, 5.0, 40.0])
    pose = arm.forward_kinematics(joints)
    assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
    found = arm.inverse_kinematics(joints + np.array([3, -3, 3, -3, 3, 0]), pose)
    assert arm.forward_kinematics(found)[:3, 3] == pytest.approx(pose[:3, 3], abs=1e-5)
    assert found[5] == 40.0


# --- programs --------------------------------------------------------------------------------------------------------


@dataclass
class Part:
    speed: float = 1.0


@dataclass
class Program:
    name: str
    part: Part = field(default_factory=Part)
    tries: int = 3


def test_a_program_reads_its_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.configs import parser

    @parser.wrap()
    def main(cfg: Program) -> Program:
        return cfg

    monkeypatch.setattr(sys, "argv", ["program", "--name=a", "--part.speed=2.5"])
    assert main() == Program("a", Part(2.5), 3)
    assert main(Program("b")) == Program("b")
    monkeypatch.setattr(sys, "argv", ["program", "--nam=a"])
    with pytest.raises(SystemExit, match="--nam"):
        main()


def test_a_program_may_describe_its_command_line_by_a_model_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.configs import parser
    from lerobot.robots import RobotConfig

    from lerobot.core.fake.config import FakeRobotConfig

    class Settings(ConfigModel):
        tries: int = 3

    @dataclass
    class Drive:
        robot: RobotConfig
        settings: Settings = field(default_factory=Settings)

    @parser.wrap()
    def main(cfg: Drive) -> Drive:
        return cfg

    Drive.__annotations__ = {"robot": RobotConfig, "settings": Settings}
    main.__wrapped__.__annotations__ = {"cfg": Drive}
    monkeypatch.setattr(sys, "argv", ["program", "--robot.type=fake", "--settings.tries=5"])
    drive = main()
    assert isinstance(drive.robot, FakeRobotConfig)
    assert drive.settings.tries == 5


def test_a_robot_that_a_served_policy_drives_is_described_by_their_fields(caplog: pytest.LogCaptureFixture) -> None:
    from lerobot.async_inference.configs import PolicyServerConfig, RobotClientConfig

    from lerobot.core.fake.config import FakeRobotConfig

    client = RobotClientConfig(
        robot=FakeRobotConfig(),
        server_address="10.0.0.2:9000",
        policy_device="cuda",
        policy_type="act",
        pretrained_name_or_path="me/act",
        chunk_size_threshold=0.5,
        actions_per_chunk=50,
    )
    assert client.policy.address == "10.0.0.2:9000"
    assert (client.inference.actions_per_chunk, client.inference.chunk_size_threshold) == (50, 0.5)
    assert "RobotClientConfig(server_address=...) is now: policy.address" in caplog.text
    with pytest.raises(ValidationError, match="the server says which policy it serves"):
        PolicyServerConfig(host="localhost", port=8080)
    with pytest.raises(ValidationError, match="server_adress"):
        RobotClientConfig(server_adress="10.0.0.2:9000")


def test_keys_set_the_events_of_a_recording() -> None:
    from lerobot.utils.keyboard_input import apply_recording_control, init_keyboard_listener

    listener, events = init_keyboard_listener()
    assert listener is None
    apply_recording_control("left", events)
    assert events == {"exit_early": True, "rerecord_episode": True, "stop_recording": False}
    apply_recording_control("x", events)
    assert not events["stop_recording"]


def test_a_recording_is_added_to_a_dataset_that_fits(dataset) -> None:
    from lerobot.common.control_utils import sanity_check_dataset_name, sanity_check_dataset_robot_compatibility
    from lerobot.robots import make_robot_from_config

    from lerobot.core.fake.config import FakeRobotConfig

    robot = make_robot_from_config(FakeRobotConfig())
    sanity_check_dataset_robot_compatibility(dataset, robot, 10, {STATE: dataset.features[STATE]})
    with pytest.raises(
        FeatureMismatchError, match=r"fps is 10 there and 30 here; observation\.torque is missing there"
    ):
        sanity_check_dataset_robot_compatibility(dataset, robot, 30, {"observation.torque": dataset.features[STATE]})
    sanity_check_dataset_name("me/eval_cubes", object())
    with pytest.raises(ValueError, match="begins with 'eval_'"):
        sanity_check_dataset_name("me/cubes", object())


def test_helpers_give_what_documents_print() -> None:
    from lerobot.utils.utils import flatten_dict, format_big_number, get_elapsed_time_in_days_hours_minutes_seconds

    assert get_elapsed_time_in_days_hours_minutes_seconds(90_061.5) == (1, 1, 1, 1.5)
    assert format_big_number(12_345, precision=1) == "12.3K"
    assert flatten_dict({"a": {"b": 1}, "c": 2}) == {"a/b": 1, "c": 2}


def test_pictures_are_changed_at_random_and_stay_pictures() -> None:
    from lerobot.transforms import ImageTransforms, ImageTransformsConfig

    torch.manual_seed(0)
    picture = torch.rand(3, 8, 8)
    change = ImageTransforms(ImageTransformsConfig(enable=True))
    changed = [change(picture) for _ in range(4)]
    assert all(each.shape == picture.shape for each in changed)
    assert any(not torch.equal(each, picture) for each in changed)
    assert not torch.equal(changed[0], changed[1])
    assert torch.equal(ImageTransforms(ImageTransformsConfig())(picture), picture)


def test_the_layers_of_act_are_made_of_a_configuration_and_take_its_weights() -> None:
    """As lerobot-policy-actvantage builds its network; positions may be left out."""
    from lerobot.policies.act.modeling_act import ACTDecoder, ACTEncoder, ACTTemporalEnsembler

    from lerobot.policies import ACTConfig

    config = ACTConfig(dim_model=16, n_heads=2, dim_feedforward=24, n_encoder_layers=2, n_vae_encoder_layers=1)
    encoder, decoder = ACTEncoder(config).eval(), ACTDecoder(config).eval()
    assert len(ACTEncoder(config, is_vae_encoder=True).layers) == 1
    assert {name.partition(".")[0] for name in encoder.state_dict()} == {"layers"}
    tokens, queries = torch.randn(5, 2, 16), torch.randn(3, 2, 16)
    torch.testing.assert_close(encoder(tokens), encoder(tokens, pos_embed=torch.zeros(5, 1, 16)))
    moved = encoder(tokens, pos_embed=torch.randn(5, 1, 16))
    assert not torch.allclose(encoder(tokens), moved)
    padding = torch.zeros(2, 5, dtype=torch.bool)
    padding[:, 4] = True
    cut = encoder(tokens, key_padding_mask=padding)
    torch.testing.assert_close(cut[:4], encoder(tokens[:4]))
    assert decoder(queries, moved).shape == (3, 2, 16)
    ensembler = ACTTemporalEnsembler(0.0, 2)
    first, second = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[4.0], [5.0]]])
    assert ensembler.update(first).item() == 1.0
    assert ensembler.update(second).item() == pytest.approx(3.0)
