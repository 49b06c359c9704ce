"""The physics: servos, time, episodes."""

import numpy as np
import pytest

from lerobot.sim.joints import JOINTS
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import HOME, World


@pytest.fixture
def world() -> World:
    return World(TASKS["lift"](), seed=3)


def state(world: World) -> np.ndarray:
    return np.concatenate([world.data.qpos, world.data.qvel, world.data.mocap_pos.ravel()])


def test_servos_turn_at_their_no_load_speed(world: World) -> None:
    """An STS3215 turns at 45 rpm = 270 deg/s; the shoulder's load and friction cost it a few degrees per second."""
    goal = world.joint_positions
    goal[0] += 1.8
    world.command(goal)
    speeds = []
    for _ in range(30):
        world.advance(0.01)
        speeds.append(np.degrees(world.joint_velocities[0]))
    assert 240 < max(speeds) <= 270


def test_servos_act_after_the_latency() -> None:
    world = World(TASKS["lift"](), latency_s=0.05)
    world.advance(0.5)
    before = world.joint_positions[0]
    goal = world.joint_positions
    goal[0] += 0.5
    world.command(goal)
    world.advance(0.045)
    assert world.joint_positions[0] == pytest.approx(before, abs=1e-3)
    world.advance(0.05)
    assert world.joint_positions[0] > before + 0.02


def test_servos_sag_under_load_by_gravity_over_stiffness(world: World) -> None:
    """The static error of a spring is the torque it carries over its stiffness, up to dry friction."""
    goal = np.radians([0.0, 30.0, -20.0, 0.0, 0.0, 10.0])
    world.command(goal)
    world.advance(3.0)
    friction = 0.052 / 17.8
    assert np.abs(world.joint_positions - (goal - world.sag)).max() < friction + 1e-3
    assert np.abs(world.sag[1]) > 0.02


def test_torque_off_lets_the_arm_sink_and_on_holds_it_where_it_is(world: World) -> None:
    world.command(np.radians([0.0, 20.0, -30.0, 0.0, 0.0, 10.0]))
    world.advance(2.0)
    world.set_torque(False)
    high = world.position("grasp")[2]
    world.advance(1.0)
    assert world.position("grasp")[2] < high - 0.02
    world.set_torque(True)
    held = world.joint_positions
    assert world.goal_positions == pytest.approx(held)


def test_a_cube_lies_still_on_the_table(world: World) -> None:
    start = world.position("cube")
    world.advance(2.0)
    assert world.position("cube") == pytest.approx(start, abs=2e-4)
    assert world.speed("cube") < 1e-3


def test_an_episode_follows_from_seed_and_number_alone(world: World) -> None:
    """Whatever happened before, and in whichever world, the same episode goes the same to the last bit."""
    other = World(TASKS["lift"](), seed=99)
    other.command(HOME + 0.3)
    other.advance(1.234)
    for each in (world, other):
        each.reset(seed=7, episode=5)
        each.command(HOME + 0.1)
        each.advance(0.5)
    assert np.array_equal(state(world), state(other))


def test_episodes_and_seeds_differ(world: World) -> None:
    starts = set()
    for seed in range(3):
        for episode in range(3):
            world.reset(seed=seed, episode=episode)
            starts.add(tuple(world.position("cube")))
    assert len(starts) == 9


@pytest.mark.parametrize("task", TASKS)
def test_rearranging_puts_the_objects_where_a_reset_puts_them(task: str) -> None:
    world = World(TASKS[task]())
    world.reset(seed=1, episode=4)
    objects = state(world)[6:]
    world.reset(seed=1, episode=0)
    world.command(HOME + 0.2)
    world.advance(0.3)
    arm = world.joint_positions
    world.rearrange(episode=4)
    assert np.array_equal(world.joint_positions, arm)
    nq = world.model.nq
    assert np.array_equal(state(world)[6:nq], objects[: nq - 6])
    assert np.array_equal(world.data.mocap_pos.ravel(), objects[len(objects) - 3 * world.model.nmocap :])


def test_it_follows_a_clock(world: World, clock: object) -> None:
    world.follow(clock)
    clock.time_s += 0.5
    world.sync()
    assert world.elapsed_s == pytest.approx(0.5, abs=2e-3)
    assert 0 <= world.present_s - world.now_s < 2e-3
    world.follow(None)
    clock.time_s += 5
    world.sync()
    assert world.elapsed_s == pytest.approx(0.5, abs=2e-3)


def test_what_nobody_saw_is_skipped(world: World, clock: object) -> None:
    world.follow(clock)
    clock.time_s += 3600
    world.sync()
    assert world.elapsed_s == pytest.approx(2.0, abs=2e-3)
    assert clock.now() - world.now_s < 2e-3


def test_time_never_goes_back_over_a_reset(world: World) -> None:
    world.advance(1.0)
    before = world.now_s
    world.reset()
    assert world.now_s >= before
    assert world.elapsed_s == 0.0


def test_hostile_commands_do_not_break_the_physics(world: World) -> None:
    rng = np.random.default_rng(0)
    low, high = np.array([[joint.low, joint.high] for joint in JOINTS]).T
    for _ in range(600):
        world.command(rng.uniform(low, high))
        world.advance(0.02)
    assert np.isfinite(state(world)).all()
    assert (world.joint_positions > low - 0.1).all()
    assert (world.joint_positions < high + 0.1).all()
