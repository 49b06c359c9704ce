"""The scripted solutions solve their tasks."""

import pytest

from lerobot.metaworld.config import MetaworldConfig
from lerobot.metaworld.env import Metaworld
from lerobot.metaworld.expert import Expert
from lerobot.metaworld.tasks import DESCRIPTIONS

SEEDS = range(10)
"""Episodes of a task."""

SOLVED = 9
"""Of them, for the task to count as one the expert can do."""


def solved(task: str, seeds: range) -> int:
    """In how many episodes the expert solves a task."""
    env = Metaworld(MetaworldConfig(task=task, obs_type="environment_state_agent_pos"))
    count = 0
    for seed in seeds:
        env.reset(seed=seed)
        expert, ended, info = Expert(task), False, {}
        while not ended:
            _, _, terminated, truncated, info = env.step(expert.act(env.state))
            ended = terminated or truncated
        count += info["is_success"]
    env.close()
    return count


@pytest.mark.parametrize("task", ["reach-v3", "push-v3", "drawer-open-v3"])
def test_the_expert_solves_it(task: str) -> None:
    assert solved(task, range(2)) == 2


def test_the_expert_leaves_what_it_sees_alone() -> None:
    """The script of door-open-v3 writes into its argument."""
    env = Metaworld(MetaworldConfig(task="door-open-v3", obs_type="environment_state_agent_pos"))
    env.reset(seed=0)
    before = env.state.copy()
    action = Expert("door-open-v3").act(env.state)
    assert (env.state == before).all()
    assert env.action_space.contains(action)
    env.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_expert_can_do_nearly_all_of_it() -> None:
    """Ten episodes of each task; the page on Meta-World has the table."""
    counts = {task: solved(task, SEEDS) for task in DESCRIPTIONS}
    can = [task for task, count in counts.items() if count >= SOLVED]
    assert len(can) >= 45, counts
