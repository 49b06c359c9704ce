"""Names of tasks as people, saved configurations and command lines give them."""

import json
import logging
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from lerobot.core.config.base import EnvConfig
from lerobot.core.config.load import load
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.metaworld.config import MetaworldConfig
from lerobot.metaworld.tasks import DESCRIPTIONS, GROUPS

TABLE = Path(__file__).parents[4] / "shared/data/golden/envs/metaworld_tasks.json"


@pytest.mark.skipif(not TABLE.exists(), reason="../shared is not here")
def test_tasks_are_the_benchmarks() -> None:
    table = json.loads(TABLE.read_text())
    assert table["descriptions"] == DESCRIPTIONS
    assert sorted(table["ids"], key=table["ids"].get) == list(DESCRIPTIONS)
    assert {name: tuple(tasks) for name, tasks in table["groups"].items()} == GROUPS


def test_every_task_has_one_difficulty() -> None:
    assert sorted(task for tasks in GROUPS.values() for task in tasks) == sorted(DESCRIPTIONS)
    assert len(DESCRIPTIONS) == 50


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("push-v3", "push-v3"),
        ("metaworld-push-v3", "push-v3"),
        ("reach", "reach-v3"),
        ("reach-v3, push-v3,reach-v3", "reach-v3,push-v3"),
        ("medium", "medium"),
    ],
)
def test_names(given: str, meant: str) -> None:
    assert MetaworldConfig(task=given).task == meant


def test_a_name_of_the_second_version_is_played_as_the_third_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """huggingface/lerobot's own default, which no simulation has."""
    with caplog.at_level(logging.WARNING):
        assert MetaworldConfig(task="metaworld-push-v2").task == "push-v3"
    assert "played as push-v3" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("reech-v3", "reach-v3"), ("drawer-opne", "drawer-open-v3"), ("hardd", "hard")]
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong: str, nearest: str) -> None:
    with pytest.raises(ValidationError, match=f"did you mean .*{nearest}"):
        MetaworldConfig(task=f"push-v3,{wrong}")


def test_a_group_is_numbered_by_its_list() -> None:
    config = MetaworldConfig(task="very_hard,reach-v3", obs_type="pixels")
    tasks = config.tasks()
    assert {name: list(suite) for name, suite in tasks.items()} == {"very_hard": [0, 1, 2, 3, 4], "reach-v3": [0]}
    assert [each.task for each in tasks["very_hard"].values()] == list(GROUPS["very_hard"])
    assert {each.obs_type for suite in tasks.values() for each in suite.values()} == {"pixels"}


def test_a_saved_configuration_of_the_peer_is_read() -> None:
    """The `env` section of a train_config.json of huggingface/lerobot 0.6.1."""
    saved = {
        "type": "metaworld",
        "task": "metaworld-push-v3",
        "fps": 80,
        "features": {"action": {"type": "ACTION", "shape": [4]}},
        "features_map": {
            "action": "action",
            "agent_pos": "observation.state",
            "top": "observation.image",
            "pixels/top": "observation.image",
        },
        "max_parallel_tasks": 1,
        "disable_env_checker": True,
        "episode_length": 400,
        "obs_type": "pixels_agent_pos",
        "render_mode": "rgb_array",
        "multitask_eval": True,
    }
    config = TypeAdapter(EnvConfig).validate_python(saved)
    assert isinstance(config, MetaworldConfig)
    assert (config.task, config.episode_length) == ("push-v3", 400)


@pytest.mark.parametrize(
    "flags",
    [
        ["--env.task=medium", "--eval.batch_size=1", "--eval.n_episodes=1"],
        ["--env.task=assembly-v3,dial-turn-v3,handle-press-side-v3", "--eval.batch_size=1", "--eval.n_episodes=1"],
        ["--env.task=medium", "--eval.batch_size=1", "--eval.n_episodes=10", "--rename_map={}"],
    ],
)
def test_documented_lines_resolve(flags: list[str]) -> None:
    """As huggingface/lerobot's page on Meta-World has them; the policy's path would have to be there."""
    found = load(EvalPipelineConfig, ["--policy.type=act", "--env.type=metaworld", *flags]).config
    assert isinstance(found.env, MetaworldConfig)
    assert found.env.tasks()


def test_what_the_benchmark_fixes_is_not_changed() -> None:
    with pytest.raises(ValidationError, match="fps"):
        MetaworldConfig(fps=30)
    with pytest.raises(ValidationError, match="less than or equal to 500"):
        MetaworldConfig(episode_length=501)
