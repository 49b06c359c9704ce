"""Episodes of LIBERO: how they start, what is seen, when they are solved, who is told what; and that they repeat."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from lerobot.core.config import load
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.envs.actor import provided_features
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.testing import assert_same_episodes
from lerobot.libero.config import LiberoConfig
from lerobot.libero.observation import axis_angle
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy

Small = Callable[..., LiberoConfig]

AT_HAND = [
    *(("libero_10", number) for number in (2, 8)),
    *(("libero_90", number) for number in (18, 19, 20, 21, 86, 87)),
    ("libero_goal", 3),
    ("libero_spatial", 0),
    ("libero_object", 0),
]


class ListenerConfig(PreTrainedConfig):
    target: ClassVar[str] = f"{__name__}:Listener"
    type: str = "listener"
    device: str | None = "cpu"


class Listener(PreTrainedPolicy):
    """Moves as the words, the pictures and chance have it, and keeps what it was told."""

    heard: ClassVar[list[str]] = []

    def __init__(self, config: PreTrainedConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.nothing = nn.Parameter(torch.zeros(()))

    def reset(self) -> None:
        """Nothing is kept."""

    def select_action(self, batch: Mapping[str, Any]) -> torch.Tensor:
        type(self).heard.append(batch["task"][0])
        brightness = batch["observation.images.image"].mean() + batch["observation.images.image2"].mean()
        push = torch.tanh(torch.randn(1, 7) + brightness + batch["observation.state"].sum())
        return push.float()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> torch.Tensor:
        return self.select_action(batch)[:, None]

    def forward(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        raise AssertionError("never trained here")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Path]:
    with registry.temporary():
        registry.register("policy", "listener", ListenerConfig)
        features = {
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(8,)),
            **{
                f"observation.images.{name}": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 32))
                for name in ("image", "image2")
            },
            "action": PolicyFeature(type=FeatureType.ACTION, shape=(7,)),
        }
        policy = make_policy(ListenerConfig(), features)
        PolicyWithProcessors(policy, make_pre_post_processors(policy.config)).save_pretrained(tmp_path / "listener")
        Listener.heard.clear()
        yield tmp_path / "listener"


def played(listener: Path, assets: Path, folder: Path, *flags: str) -> dict[str, Any]:
    arguments = [
        f"--policy.path={listener}",
        f"--output_dir={folder}",
        "--env.type=libero",
        f"--env.assets={assets}",
        "--env.observation_height=32",
        "--env.observation_width=32",
        "--env.quality=fast",
        "--env.hard_reset=false",
        *flags,
    ]
    eval_command(load(EvalPipelineConfig, arguments).config)
    results: dict[str, Any] = json.loads((folder / "eval_info.json").read_text())
    return results


def test_twenty_steps_with_a_policy_that_listens(listener: Path, assets: Path, tmp_path: Path) -> None:
    flags = ["--env.task=libero_10", "--env.task_ids=[2]", "--env.episode_length=20", "--eval.n_episodes=1"]
    results = played(listener, assets, tmp_path / "played", *flags)
    assert results["per_task"][0]["task"] == "turn on the stove and put the moka pot on it"
    assert results["per_task"][0]["metrics"]["steps"] == [20]
    assert Listener.heard == ["turn on the stove and put the moka pot on it"] * 20
    assert "score is not the benchmark's" in results["caveats"][0]
    assert (tmp_path / "played/videos/libero_10_2/eval_episode_0.mp4").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "number"), AT_HAND)
def test_every_task_at_hand_runs(suite: str, number: int, small: Small) -> None:
    env = small(suite, number, quality="full").build()
    observation, _ = env.reset(seed=3)
    random = np.random.default_rng(0)
    for _ in range(20):
        observation, reward, terminated, truncated, info = env.step(random.uniform(-1, 1, 7).astype(np.float32))
        assert (reward, terminated, truncated, info) == (0.0, False, False, {"is_success": False})
        assert env.observation_space.contains(observation)
    assert all(picture.std() > 10 for picture in observation["pixels"].values())
    env.close()


@pytest.mark.slow
def test_batch_sizes_and_workers_change_nothing(listener: Path, assets: Path, tmp_path: Path) -> None:
    flags = ["--env.task=libero_90", "--env.task_ids=[18,20]", "--env.episode_length=4", "--eval.n_episodes=3"]
    journals, heard = [], []
    for size, workers, at_once in ((1, False, 1), (3, False, 1), (2, True, 1), (1, True, 2)):
        folder = tmp_path / f"{size}{workers}{at_once}"
        arguments = [f"--eval.batch_size={size}", f"--eval.use_async_envs={workers}".lower()]
        Listener.heard.clear()
        played(listener, assets, folder, *flags, *arguments, f"--env.max_parallel_tasks={at_once}")
        heard.append(sorted(Listener.heard))
        films = {str(film.relative_to(folder)): film.read_bytes() for film in sorted(folder.rglob("*.mp4"))}
        journals.append(films)
    assert len(set(heard[0])) == 2
    assert len(journals[0]) == 6
    assert heard == [heard[0]] * 4
    assert journals == [journals[0]] * 4


@pytest.mark.slow
def test_rows_of_two_processes_see_the_same(small: Small) -> None:
    """Rewards are all 0 here, so what the hand measured is compared."""

    config = small("libero_90", 20, episode_length=4)
    assert_same_episodes(config, "turn on the stove")


def test_a_scene_that_is_put_back_is_as_good_as_new(small: Small) -> None:
    """The gripper's target outlived an episode in robosuite: the hand was half open when the next one began."""
    env = small("libero_90", 20).build()
    other = np.random.get_state()[1].copy()
    first, _ = env.reset(seed=5)
    assert np.array_equal(np.random.get_state()[1], other)
    for _ in range(3):
        env.step(np.array([1, 0, -1, 0, 0.5, 0, 1], np.float32))
    again, _ = env.reset(seed=5)
    assert np.array_equal(first["agent_pos"], again["agent_pos"])
    assert all(np.array_equal(first["pixels"][name], again["pixels"][name]) for name in first["pixels"])
    next_one, _ = env.reset(seed=6)
    assert not np.array_equal(first["pixels"]["image"], next_one["pixels"]["image"])
    picture = env.render()
    assert np.array_equal(picture, next_one["pixels"]["image"])
    env.close()


def test_a_hand_told_by_columns_stays_where_it_says(small: Small) -> None:
    """As X-VLA knows it: what is seen of the hand, given back as an action, leaves the hand there."""
    env = small("libero_90", 20, turns="columns", control_mode="absolute").build()
    other = small("libero_90", 20).build()
    observation, _ = env.reset(seed=0)
    expected, _ = other.reset(seed=0)
    assert np.array_equal(observation["pixels"]["image"], expected["pixels"]["image"])
    assert np.array_equal(observation["pixels"]["image2"][::-1, ::-1], expected["pixels"]["image2"])
    first = observation["agent_pos"]
    assert env.observation_space.contains(observation)
    assert np.array_equal(first[:3], expected["agent_pos"][:3])
    assert not first[9:].any()
    action = first.copy()
    for step in range(10):
        action[9] = step % 2
        action[10:] = step
        observation, *_ = env.step(action)
    assert np.abs(observation["agent_pos"][:9] - first[:9]).max() < 0.02
    action[[2, 9]] = first[2] + 0.05, 0
    for _ in range(10):
        observation, *_ = env.step(action)
    assert observation["agent_pos"][2] - first[2] > 0.03
    env.close()
    other.close()


def test_columns_say_where_the_hand_shall_be() -> None:
    with pytest.raises(ValueError, match="control_mode=absolute beside turns=columns"):
        LiberoConfig(turns="columns")


def test_a_goal_that_is_reached_ends_the_episode(small: Small) -> None:
    env = small("libero_90", 20, episode_length=3).build()
    assert env.task_description == "turn on the stove"
    for turned_on in (False, True):
        env.reset(seed=0)
        ends = []
        for _ in range(3):
            if turned_on:
                stove = env._scene.get_object("flat_stove_1")
                low, high = stove.object_properties["articulation"]["default_turnon_ranges"]
                env._scene.object_states_dict["flat_stove_1"].set_joint((low + high) / 2)
            _, reward, terminated, truncated, info = env.step(np.zeros(7, np.float32))
            ends.append((reward, terminated, truncated, info["is_success"]))
            if terminated:
                break
        expected = (
            [(1.0, True, False, True)] if turned_on else [(0.0, False, False, False)] * 2 + [(0.0, False, True, False)]
        )
        assert ends == expected
    env.close()


@pytest.mark.slow
def test_absolute_actions_say_where_the_hand_shall_be(small: Small) -> None:
    env = small("libero_90", 20, control_mode="absolute", camera_name="agentview_image").build()
    observation, _ = env.reset(seed=0)
    start = observation["agent_pos"]
    target = start[:3] + np.array([0.03, 0.05, 0.04], np.float32)
    for _ in range(40):
        observation, *_ = env.step(np.array([*target, *start[3:6], -1], np.float32))
    np.testing.assert_allclose(observation["agent_pos"][:3], target, atol=0.01)
    assert list(observation["pixels"]) == ["image"]
    env.close()


@pytest.mark.slow
def test_policies_see_the_names_that_are_asked_for(small: Small) -> None:
    names = {"agentview_image": "front", "robot0_eye_in_hand_image": "wrist"}
    for fields, expected in (
        ({"camera_name_mapping": names}, {"images.front", "images.wrist", "state"}),
        ({"obs_type": "pixels"}, {"images.image", "images.image2"}),
        ({"camera_name": "frontview_image"}, {"images.frontview_image", "state"}),
    ):
        env = small("libero_90", 20, **fields).build()
        found = provided_features(env.observation_space, env.action_space)
        assert set(found) == {*(f"observation.{name}" for name in expected), "action"}
        env.reset(seed=0)
        env.close()
    env = small("libero_90", 20, camera_name="agentvew_image").build()
    with pytest.raises(LeRobotError, match="has no camera 'agentvew'") as caught:
        env.reset(seed=0)
    assert "agentview_image" in caught.value.hint
    with pytest.raises(LeRobotError, match="the action of step 0"):
        env.step(np.full(7, np.nan, np.float32))
    env.close()


def test_one_environment_has_one_task() -> None:
    with pytest.raises(LeRobotError, match="names 10 tasks, libero_10 0 to libero_10 9"):
        LiberoConfig().build()


@pytest.mark.parametrize(
    ("quaternion", "expected"),
    [
        ([0, 0, 0, 1], [0, 0, 0]),
        ([0, 0, 0, -1], [0, 0, 0]),
        ([1, 0, 0, 0], [np.pi, 0, 0]),
        ([0, np.sin(0.35), 0, np.cos(0.35)], [0, 0.7, 0]),
        ([0, 0, 0, 1.0000001], [0, 0, 0]),
    ],
)
def test_turns_are_axes_times_angles(quaternion: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(axis_angle(np.array(quaternion)), expected, atol=1e-12)
