"""The 130 tasks: names, words, scenes, starts and lengths."""

import importlib
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.libero.config import LiberoConfig
from lerobot.libero.init_states import read_init_states
from lerobot.libero.package import problems, suite_tasks
from lerobot.libero.suites import SUITES

from .conftest import SHARED

LIBERO_10 = [
    "put both the alphabet soup and the tomato sauce in the basket",
    "put both the cream cheese box and the butter in the basket",
    "turn on the stove and put the moka pot on it",
    "put the black bowl in the bottom drawer of the cabinet and close it",
    "put the white mug on the left plate and put the yellow and white mug on the right plate",
    "pick up the book and place it in the back compartment of the caddy",
    "put the white mug on the plate and put the chocolate pudding to the right of the plate",
    "put both the alphabet soup and the cream cheese box in the basket",
    "put both moka pots on the stove",
    "put the yellow and white mug in the microwave and close it",
]

STATE_SIZES = {
    "libero_spatial": [92] * 10,
    "libero_object": [110] * 10,
    "libero_goal": [79] * 10,
    "libero_10": [123, 123, 47, 51, 84, 45, 71, 84, 47, 47],
}


def test_the_long_tasks_are_the_published_ones() -> None:
    assert [task.language for task in suite_tasks("libero_10")] == LIBERO_10


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_all_130_tasks_are_the_published_ones() -> None:
    published = json.loads((SHARED / "golden/envs/libero_tasks.json").read_text())
    assert set(published) == set(SUITES)
    for suite, tasks in published.items():
        found = suite_tasks(suite)
        assert len(found) == SUITES[suite].tasks
        assert [(task.name, task.language) for task in found] == [(task["name"], task["language"]) for task in tasks]


def test_all_130_descriptions_parse() -> None:
    """Each has a scene of LIBERO, its own words, something to be seen, and a goal that can be tested."""
    known = problems()
    parser = importlib.import_module("libero.libero.envs.bddl_utils")
    predicates = importlib.import_module("libero.libero.envs.predicates").VALIDATE_PREDICATE_FN_DICT
    parsed = [(task, parser.robosuite_parse_problem(str(task.bddl))) for suite in SUITES for task in suite_tasks(suite)]
    assert len(parsed) == 130
    for task, description in parsed:
        assert description["problem_name"] in known, task.name
        assert description["obj_of_interest"], task.name
        assert description["goal_state"], task.name
        assert {goal[0].lower() for goal in description["goal_state"]} <= set(predicates), task.name


@pytest.mark.parametrize("suite", STATE_SIZES)
def test_starts_are_arrays(suite: str) -> None:
    shapes = [read_init_states(task.init_states).shape for task in suite_tasks(suite)]
    assert shapes == [(50, size) for size in STATE_SIZES[suite]]


def test_starts_are_those_that_pickle_reads() -> None:
    path = suite_tasks("libero_10")[2].init_states
    with zipfile.ZipFile(path) as archive:
        expected = pickle.loads(archive.read("archive/data.pkl"))
    assert np.array_equal(read_init_states(path), expected)


class Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("evil"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [(Evil(), r"it names __builtin__\.getattr"), ([1, 2], "holds no starts"), (np.zeros(3), "holds no starts")],
)
def test_what_is_no_array_is_refused(content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
    with pytest.raises(LeRobotError, match=said):
        read_init_states(tmp_path / "file")
    assert not (tmp_path / "evil").exists()


def test_suites_become_tasks() -> None:
    config = LiberoConfig(task="libero_10, libero_90", task_ids=[2, 8], max_parallel_tasks=2)
    tasks = config.tasks()
    assert {suite: list(numbers) for suite, numbers in tasks.items()} == {"libero_10": [2, 8], "libero_90": [2, 8]}
    assert tasks["libero_90"][8].tasks() == {"libero_90": {8: tasks["libero_90"][8]}}
    everything = LiberoConfig(task=",".join(SUITES)).tasks()
    assert sum(map(len, everything.values())) == 130


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"task": "libero_gaol"}, "'libero_gaol' is none, did you mean libero_goal"),
        ({"task": "libero_10", "task_ids": [10]}, "task_ids from 0 to 9 for libero_10, not 10"),
        ({"task_ids": []}, "at least one number in task_ids"),
        ({"hard_reset": False, "init_states": False}, "init_states=true beside hard_reset=false"),
        ({"fps": 0}, "greater than 0"),
        ({"fps": 30}, "a divisor of 500"),
        ({"control_mode": "sideways"}, "'relative' or 'absolute'"),
        ({"obs_type": "state"}, "'pixels_agent_pos' or 'pixels'"),
        ({"camera_name": ","}, "a camera, or several"),
        ({"is_libero_plus": True}, "LIBERO-plus varies these tasks"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LiberoConfig(**fields)


def test_a_wrong_name_is_one_line_on_the_command_line() -> None:
    with pytest.raises(ConfigError, match="did you mean libero_spatial"):
        load(EvalPipelineConfig, ["--policy.type=act", "--env.type=libero", "--env.task=libero_spacial"])


@pytest.mark.parametrize(
    "line",
    [
        # The documented command lines of huggingface/lerobot 0.6.1 (docs/source/libero.mdx, evo1.mdx, groot.mdx).
        "--env.task=libero_object --eval.batch_size=2 --eval.n_episodes=3",
        "--env.task=libero_object,libero_spatial --eval.batch_size=1 --eval.n_episodes=2",
        "--env.task=libero_spatial,libero_object,libero_goal,libero_10 --eval.batch_size=1 --eval.n_episodes=10 "
        "--env.max_parallel_tasks=1 --policy.n_action_steps=10 --output_dir=./eval_logs/",
        "--env.task=libero_object --env.observation_height=448 --env.observation_width=448 "
        "--env.camera_name_mapping={agentview_image:\u00a0a,robot0_eye_in_hand_image:\u00a0b}",
        "--env.task=libero_spatial --eval.n_episodes=50 --policy.device=cpu",
    ],
)
def test_the_peers_command_lines_are_read(line: str) -> None:
    flags = [flag.replace("\u00a0", " ") for flag in line.split(" ")]
    config = load(EvalPipelineConfig, ["--policy.type=act", "--env.type=libero", *flags]).config
    assert isinstance(config.env, LiberoConfig)


def test_a_saved_configuration_of_the_peer_is_read() -> None:
    """The `env` section of a train_config.json of huggingface/lerobot 0.6.1."""
    saved = {
        "type": "libero",
        "task": "libero_10",
        "fps": 20,
        "features": {"action": {"type": "ACTION", "shape": [7]}},
        "features_map": {
            "action": "action",
            "robot_state/eef/pos": "observation.state.eef_pos",
            "pixels/agentview_image": "observation.images.image",
        },
        "max_parallel_tasks": 1,
        "disable_env_checker": True,
        "task_ids": None,
        "episode_length": None,
        "obs_type": "pixels_agent_pos",
        "render_mode": "rgb_array",
        "camera_name": "agentview_image,robot0_eye_in_hand_image",
        "init_states": True,
        "hard_reset": True,
        "camera_name_mapping": None,
        "observation_height": 360,
        "observation_width": 360,
        "is_libero_plus": False,
        "control_mode": "relative",
    }
    assert LiberoConfig.model_validate(saved).pictures == {"agentview": "image", "robot0_eye_in_hand": "image2"}
