"""Tasks: starts, rewards, and what counts as solved."""

import numpy as np
import pytest

from lerobot.sim.kinematics import Kinematics
from lerobot.sim.rendering import Pictures
from lerobot.sim.tasks import TASKS
from lerobot.sim.tasks.lift import HALF_M
from lerobot.sim.tasks.reach import HAND_AT_HOME
from lerobot.sim.world import HOME, World


@pytest.fixture(params=sorted(TASKS))
def world(request: pytest.FixtureRequest) -> World:
    return World(TASKS[request.param]())


def test_no_start_is_solved_and_rewards_are_parts_of_one(world: World) -> None:
    for episode in range(50):
        world.reset(seed=2, episode=episode)
        world.advance(0.1)
        assert not world.task.solved(world)
        assert 0.0 <= world.task.reward(world) < 1.0


def test_the_waiting_hand_is_where_reach_thinks_it_is() -> None:
    world = World(TASKS["reach"]())
    kinematics = Kinematics(world.model)
    assert kinematics.place(HOME)[0] == pytest.approx(HAND_AT_HOME, abs=1e-3)


def test_names_agree(world: World) -> None:
    assert TASKS[world.task.name] is type(world.task)
    assert world.task.description


def put(world: World, name: str, place: list[float]) -> None:
    world.place(name, place)
    world.advance(0.5)


def test_reach_is_a_matter_of_distance() -> None:
    world = World(TASKS["reach"]())
    rewards = []
    for gap in (0.10, 0.05, 0.02, 0.010):
        world.place("ball", world.position("grasp") + np.array([0, gap, 0]))
        world.advance(1 / 600)
        rewards.append(world.task.reward(world))
        assert world.task.solved(world) == (gap < 0.015)
    assert rewards == sorted(rewards)
    assert rewards[-1] == 1.0


def test_only_words_tell_the_two_balls_apart() -> None:
    """The same pictures and places in both tasks, and the ball that is asked for is the other one."""
    worlds = [World(TASKS[name]()) for name in ("reach_red", "reach_blue")]
    painters = [Pictures(world, "painter") for world in worlds]
    for episode in range(10):
        for world in worlds:
            world.reset(seed=3, episode=episode)
        red, blue = worlds
        for view in ("front", "top"):
            assert np.array_equal(*(painter.render(view, 64, 64) for painter in painters))
        assert np.array_equal(red.position("ball"), blue.position("other_ball"))
        assert np.array_equal(red.position("other_ball"), blue.position("ball"))
        assert red.position("ball")[1] > 0 > blue.position("ball")[1], "red hangs to the left"
        for world in worlds:
            world.place("ball", world.position("grasp"))
            world.advance(1 / 600)
        assert all(world.task.solved(world) for world in worlds)
        at_red = painters[0].render("wrist", 64, 64).astype(int)
        assert (at_red[..., 0] - at_red[..., 2]).max() > 100, "the one that is asked for is red"


@pytest.mark.parametrize(("gap", "solved"), [(0.0, True), (0.018, True), (0.024, False)])
def test_push_is_solved_within_20_mm(gap: float, solved: bool) -> None:
    world = World(TASKS["push"]())
    goal = world.position("goal")
    put(world, "cube", [goal[0] + gap, goal[1], HALF_M])
    assert world.task.solved(world) == solved


def test_a_cube_in_the_air_is_not_lifted_unless_it_is_held() -> None:
    world = World(TASKS["lift"]())
    world.place("cube", [0.3, 0.2, 0.3])
    world.advance(1 / 600)
    assert not world.task.solved(world)


def test_place_wants_the_cube_resting_and_near_the_centre() -> None:
    world = World(TASKS["place"]())
    goal = world.position("goal")
    world.place("cube", [goal[0], goal[1], 0.10])
    world.advance(1 / 600)
    assert not world.task.solved(world), "in the air"
    put(world, "cube", [goal[0], goal[1], HALF_M])
    assert world.task.solved(world)
    assert world.task.reward(world) == 1.0
    world.data.qvel[world.model.body("cube").dofadr[0]] = 0.3
    world.advance(1 / 600)
    assert not world.task.solved(world), "sliding through"
    put(world, "cube", [goal[0] + 0.03, goal[1], HALF_M])
    assert not world.task.solved(world), "beside the middle"


def test_stack_wants_one_cube_on_the_other() -> None:
    world = World(TASKS["stack"]())
    below = world.position("base_cube")
    put(world, "cube", [*below[:2], 3 * HALF_M])
    assert world.task.solved(world)
    put(world, "cube", [below[0] + 2.2 * HALF_M, below[1], HALF_M])
    assert not world.task.solved(world), "beside it"


def test_objects_start_within_reach_and_apart() -> None:
    world = World(TASKS["stack"]())
    for episode in range(100):
        world.reset(seed=0, episode=episode)
        cube, below = world.position("cube")[:2], world.position("base_cube")[:2]
        assert np.linalg.norm(cube - below) >= 0.10
        for spot in (cube, below):
            assert 0.139 < np.linalg.norm(spot - [0.0388, 0.0]) < 0.241
