"""The expert solves every task, repeatably, and fails when told to."""

import gymnasium
import numpy as np
import pytest

from lerobot.sim.config import SimEnvConfig
from lerobot.sim.env import SimEnv
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import KEYS, to_units
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

LONGEST_S = 20.0


QUICK = ("reach", "reach_red", "push")
"""Tasks that are over in few steps, whether they succeed or not."""


def slow(task: str) -> object:
    return pytest.param(task, marks=pytest.mark.slow)


def successes(task: str, episodes: int, skill: Skill | None = None, seed: int = 0) -> int:
    """Episodes in which the task was solved at some time and, but for reaching and lifting, at the end."""
    world = World(TASKS[task]())
    expert = Expert(world, skill)
    solved = 0
    for episode in range(episodes):
        world.reset(seed=seed, episode=episode)
        while True:
            world.command(expert.command())
            world.advance(1 / 30)
            if expert.is_done or world.elapsed_s > LONGEST_S:
                break
        solved += world.task.solved(world)
    return solved


@pytest.mark.parametrize("task", TASKS)
def test_it_solves_five_starts(task: str) -> None:
    assert successes(task, 5) == 5


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_it_solves_95_of_100_starts(task: str) -> None:
    assert successes(task, 100, seed=1) >= 95


@pytest.mark.parametrize("task", [*QUICK, *(slow(task) for task in TASKS if task not in QUICK)])
def test_it_fails_when_told_to(task: str) -> None:
    assert successes(task, 3, Skill(failure_rate=1.0)) == 0


def test_cubes_are_held_by_friction_alone() -> None:
    """The same expert cannot lift with fingers of ice: 2 * 20 N * 0.001 is less than the cube's 0.24 N."""
    world = World(TASKS["lift"]())
    for finger in ("fixed_finger", "jaw_tip", "jaw_ridge"):
        world.model.geom(finger).friction[:] = 0.001
    expert, highest = Expert(world), 0.0
    world.reset(seed=0, episode=0)
    while not expert.is_done and world.elapsed_s < 6.0:
        world.command(expert.command())
        world.advance(1 / 30)
        highest = max(highest, world.position("cube")[2])
    assert highest < 0.04


def test_it_fails_as_often_as_told() -> None:
    """60 episodes with a rate of one half: 30 expected, four standard deviations are 15.5."""
    assert 15 <= successes("reach", 60, Skill(failure_rate=0.5)) <= 45


@pytest.mark.parametrize("task", ["push", slow("lift")])
def test_it_copes_with_an_unsteady_hesitant_hand(task: str) -> None:
    assert successes(task, 10, Skill(noise_deg=0.5, hesitation_s=0.1)) >= 9


def test_noise_and_hesitation_change_the_path_but_not_its_repeatability() -> None:
    def path(skill: Skill) -> np.ndarray:
        world = World(TASKS["reach"]())
        expert = Expert(world, skill)
        world.reset(seed=4, episode=2)
        rows = []
        for _ in range(30):
            rows.append(expert.command())
            world.command(rows[-1])
            world.advance(1 / 30)
        return np.array(rows)

    human = Skill(noise_deg=1.0, hesitation_s=0.2)
    assert np.array_equal(path(human), path(human))
    assert np.abs(path(human) - path(Skill())).max() > 0.005


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_parallel_environments_changes_nothing(count: int) -> None:
    """Environment i of n plays seed 10 + i to the same last bit as alone."""
    config = SimEnvConfig(task="lift", cameras=())
    envs = gymnasium.vector.SyncVectorEnv([lambda: SimEnv(config)] * count)
    alone = SimEnv(config)
    seeds = [10 + i for i in range(count)]
    seen = [envs.reset(seed=seeds)[0]["agent_pos"]]
    experts = [Expert(env.unwrapped.world) for env in envs.envs]
    for _ in range(60):
        actions = np.array([list(to_units(expert.command()).values()) for expert in experts], np.float32)
        seen.append(envs.step(actions)[0]["agent_pos"])
    together = np.array(seen)[:, -1]
    reference = [alone.reset(seed=seeds[-1])[0]["agent_pos"]]
    expert = Expert(alone.world)
    for _ in range(60):
        action = np.array(list(to_units(expert.command()).values()), np.float32)
        reference.append(alone.step(action)[0]["agent_pos"])
    assert np.array_equal(together, np.array(reference))
    assert len(KEYS) == together.shape[1]
    envs.close()
    alone.close()
