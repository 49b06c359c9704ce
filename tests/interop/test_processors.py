"""Processor pipelines cross-loaded with huggingface/lerobot, and every shared step compared on the same input."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from safetensors.numpy import load_file

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.processors import DataProcessorPipeline, IdentityProcessorStep, create_transition
from lerobot.core.processors.config import IdentityConfig, RenameObservationsConfig
from lerobot.core.processors.dataset_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.core.registry import registry

pytestmark = pytest.mark.peer

PIPELINE: list[tuple[str, dict[str, Any]]] = [
    ("rename_observations_processor", {"rename_map": {"a": "b"}}),
    ("time_limit_processor", {"max_episode_steps": 7}),
    ("gripper_penalty_processor", {"penalty": -0.5, "max_gripper_pos": 50.0}),
    ("intervention_action_processor", {"use_gripper": True, "terminate_on_success": False}),
    ("robot_action_to_policy_action_processor", {"motor_names": ["x", "y"]}),
    ("policy_action_to_robot_action_processor", {"motor_names": ["x", "y"]}),
]
LOST_BY_THE_PEER: list[tuple[str, dict[str, Any]]] = [
    ("map_tensor_to_delta_action_dict", {"use_gripper": False}),
    ("map_delta_action_to_robot_action", {"position_scale": 2.0, "noise_threshold": 0.5}),
    ("gripper_velocity_to_joint", {"speed_factor": 5.0, "discrete_gripper": True}),
    ("ee_bounds_and_safety", {"end_effector_bounds": {"min": [-1, -1, -1], "max": [1, 1, 1]}, "max_ee_step_m": 0.2}),
]

JOINTS = {"wrist.pos": 5.0, "gripper.pos": 30.0}
TELEOP = {"teleop_action": {"delta_x": 0.5, "delta_z": -0.5, "gripper": 2.0}}


def pose(x: float, y: float = 0.0) -> dict[str, float]:
    return {"ee.x": x, "ee.y": y, "ee.z": 0.0, "ee.wx": 0.1, "ee.wy": 0.2, "ee.wz": 0.3}


def case(name: str, config: dict[str, Any], *calls: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "config": config, "calls": list(calls)}


CASES = [
    case("rename_observations_processor", {"rename_map": {"a": "b"}}, {"observation": {"a": 1, "c": 2}}),
    case("time_limit_processor", {"max_episode_steps": 2}, {}, {"truncated": True}, {}, {}),
    *(
        case(
            "gripper_penalty_processor",
            {},
            {"action": [0.0, goal], "complementary_data": {"raw_joint_positions": {"gripper.pos": start}}},
        )
        for goal in (1.0, 3.0, 15.0, 29.0)
        for start in (1.0, 3.0, 15.0, 29.0)
    ),
    *(
        case(
            "intervention_action_processor",
            {"use_gripper": gripper, "terminate_on_success": flag},
            {"action": [9.0] * 4, "info": {"is_intervention": True}, "complementary_data": TELEOP},
            {"action": [9.0] * 4, "info": {"success": True}, "complementary_data": TELEOP},
            {"action": [9.0] * 4, "info": {"terminate_episode": True, "rerecord_episode": True}},
        )
        for gripper in (True, False)
        for flag in (True, False)
    ),
    case("map_tensor_to_delta_action_dict", {}, {"action": [0.1, 0.2, 0.3, 2.0]}, {"action": [[0.1, 0.2, 0.3, 2.0]]}),
    case("map_tensor_to_delta_action_dict", {"use_gripper": False}, {"action": [0.1, 0.2, 0.3]}),
    case(
        "map_delta_action_to_robot_action",
        {"position_scale": 2.0},
        {"action": {"delta_x": 0.1, "delta_y": -0.2, "delta_z": 0.3, "gripper": 2}},
        {"action": {"delta_x": 1e-4, "delta_y": 0.0, "delta_z": 0.0, "gripper": 0}},
    ),
    case(
        "robot_action_to_policy_action_processor",
        {"motor_names": ["x", "y"]},
        {"action": {"y.pos": 2.0, "x.pos": 1.0}},
    ),
    case("policy_action_to_robot_action_processor", {"motor_names": ["x", "y"]}, {"action": [1.0, 2.0]}),
    case(
        "gripper_velocity_to_joint",
        {},
        *({"observation": JOINTS, "action": {"ee.gripper_vel": velocity}} for velocity in (-9.0, -1.0, 0.0, 0.5, 9.0)),
    ),
    case(
        "gripper_velocity_to_joint",
        {"speed_factor": 0.1, "clip_max": 40.0, "discrete_gripper": True},
        *({"observation": JOINTS, "action": {"ee.gripper_vel": velocity}} for velocity in (0, 1, 2)),
    ),
    case(
        "ee_bounds_and_safety",
        {"end_effector_bounds": {"min": [-1, -1, -1], "max": [1, 1, 1]}, "max_ee_step_m": 0.2, "raise_on_jump": False},
        *(
            {"observation": pose(0.0), "action": pose(x, y)}
            for x, y in ((0.1, 0.0), (0.9, 0.9), (3.0, -3.0), (0.1, 0.1))
        ),
    ),
]


FEATURES: dict[str, dict[str, Any]] = {
    "action": {"b.pos": None, "action.a.pos": None},
    "observation": {"b.pos": None, "a.pos": None, "front": [48, 64, 3], "depth": [4, 5, 1], "state.c": None},
    "rename_map": {"front": "observation.images.top", "a.pos": "observation.state.a.pos"},
}
"""Hardware features, None for a number; what a dataset makes of them is compared."""


class NormalizerConfig(ProcessorStepConfig):
    """Carries the peer's normaliser through our files; the real one is not core's."""

    target: ClassVar[str] = f"{__name__}:Normalizer"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"normalize_observation_keys"})

    type: str = "normalizer_processor"
    eps: float
    features: dict[str, Any]
    norm_map: dict[str, str]
    normalize_observation_keys: list[str] | None = None


class Normalizer(IdentityProcessorStep):
    def __init__(self, config: NormalizerConfig) -> None:
        super().__init__(config)
        self.state: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        return self.state

    def load_state_dict(self, state: Any) -> None:
        self.state = dict(state)


STATE = {
    "observation.state.mean": np.array([0.1, 0.2], np.float32),
    "observation.state.std": np.array([3.0, 4.0], np.float32),
}


@pytest.fixture(scope="module", autouse=True)
def normalizer() -> Iterator[None]:
    with registry.temporary():
        registry.register("processor", "normalizer_processor", NormalizerConfig)
        yield


def ours(entries: list[tuple[str, dict[str, Any]]]) -> DataProcessorPipeline[Any, Any]:
    step = NormalizerConfig(
        eps=1e-8,
        features={"observation.state": {"type": "STATE", "shape": [2]}},
        norm_map={"STATE": "MEAN_STD"},
    ).build()
    step.load_state_dict(STATE)
    built = [registry.config_class("processor", name)(**config).build() for name, config in entries]
    return DataProcessorPipeline([step, IdentityConfig().build(), *built], "Shared Pipe")


@pytest.fixture(scope="module")
def answer(normalizer: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON does not name the interpreter of an environment with huggingface/lerobot")
    folder = tmp_path_factory.mktemp("interop")
    ours([*PIPELINE, *LOST_BY_THE_PEER]).save_pretrained(folder / "ours")
    (folder / "cases.json").write_text(json.dumps({"pipeline": PIPELINE, "cases": CASES, "features": FEATURES}))
    script = Path(__file__).with_name("peer_processors.py")
    done = subprocess.run(
        [python, script, folder / "cases.json", folder / "peer", folder / "ours"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"folder": folder}


def test_we_load_what_the_peer_writes(answer: dict[str, Any]) -> None:
    pipeline = DataProcessorPipeline[Any, Any].from_pretrained(answer["folder"] / "peer", "shared_pipe.json")
    written = json.loads((answer["folder"] / "peer" / "shared_pipe.json").read_text())
    assert pipeline.get_config() == written
    assert pipeline[0].state_dict()["observation.state.std"].tolist() == [np.float32(0.1), 0.25]


def test_we_write_the_peers_files_byte_for_byte(answer: dict[str, Any], tmp_path: Path) -> None:
    pipeline = DataProcessorPipeline[Any, Any].from_pretrained(answer["folder"] / "peer", "shared_pipe.json")
    pipeline.save_pretrained(tmp_path)
    files = sorted(path.name for path in (answer["folder"] / "peer").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    for name in files:
        assert (tmp_path / name).read_bytes() == (answer["folder"] / "peer" / name).read_bytes()


def test_the_peer_loads_what_we_write(answer: dict[str, Any]) -> None:
    assert [entry.get("registry_name", "identity") for entry in answer["read"]["steps"]] == [
        "normalizer_processor",
        "identity",
        *(name for name, _ in (*PIPELINE, *LOST_BY_THE_PEER)),
    ]
    for (name, config), entry in zip(PIPELINE, answer["read"]["steps"][2:], strict=False):
        assert config.items() <= entry["config"].items(), name
    state = answer["state"]["shared_pipe_step_0_normalizer_processor"]
    assert {key: np.array(value, np.float32).tolist() for key, value in state.items()} == {
        key: value.tolist() for key, value in STATE.items()
    }
    saved = load_file(answer["folder"] / "ours" / "shared_pipe_step_0_normalizer_processor.safetensors")
    assert {key: value.tolist() for key, value in saved.items()} == {
        key: value.tolist() for key, value in STATE.items()
    }


def arrays(value: Any) -> Any:
    if isinstance(value, list):
        return np.array(value)
    return {key: arrays(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def close(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(close(value, theirs[key]) for key, value in ours.items())
    return ours is theirs or bool(ours == pytest.approx(theirs, rel=1e-12, abs=1e-12))


def test_every_shared_step_gives_the_peers_numbers(answer: dict[str, Any]) -> None:
    for case, theirs in zip(CASES, answer["cases"], strict=True):
        step = registry.config_class("processor", case["name"])(**case["config"]).build()
        for call, expected in zip(case["calls"], theirs, strict=True):
            got = plain(step(create_transition(**arrays(call))))
            assert close(got, expected), (case["name"], call, got, expected)


def test_dataset_features_equal_the_peers(answer: dict[str, Any]) -> None:
    action, observation = (
        {key: float if value is None else tuple(value) for key, value in FEATURES[entry].items()}
        for entry in ("action", "observation")
    )
    pipeline = DataProcessorPipeline[Any, Any]([RenameObservationsConfig(rename_map=FEATURES["rename_map"]).build()])
    ours = aggregate_pipeline_dataset_features(pipeline, create_initial_features(action, observation))
    assert json.loads(json.dumps(ours)) == answer["features"]
    assert list(ours) == list(answer["features"])
