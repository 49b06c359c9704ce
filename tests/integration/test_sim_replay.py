"""A recorded episode, replayed on the virtual arm, leaves the cube where the recording left it."""

import sys

import numpy as np

from lerobot.core.cli.app import main

WATCH = """
from lerobot.core.hooks import hookimpl
from lerobot.sim.running import running

cubes = []

@hookimpl
def episode_end():
    cubes.extend(world.position("cube").copy() for world in running.all())
"""
EPISODES = 20
TOLERANCE_M = 0.005


def test_the_cube_ends_where_the_recording_left_it(tmp_plugin, lerobot_home, capsys) -> None:
    tmp_plugin.install("lerobot-watch", {"hooks": {"watch": "watch"}}, {"watch": WATCH})
    robot = ["--robot.type=sim_so101", "--robot.task=lift", "--robot.realtime=false"]
    times = ["--dataset.episode_time_s=8", "--dataset.reset_time_s=1", f"--dataset.num_episodes={EPISODES}"]
    name = ["--dataset.repo_id=me/lift", "--dataset.no_stamp=true", "--dataset.single_task=Lift", "--play_sounds=false"]
    assert main(["lerobot", "record", *robot, "--teleop.type=scripted", *name, *times]) == 0
    recorded = [*sys.modules["watch"].cubes]
    assert len(recorded) == EPISODES
    assert all(cube[2] > 0.05 for cube in recorded), "the expert lifted every cube"
    for episode in range(EPISODES):
        assert main(["lerobot", "replay", *robot, "--dataset.repo_id=me/lift", f"--dataset.episode={episode}"]) == 0
    replayed = sys.modules["watch"].cubes[EPISODES:]
    distances = np.linalg.norm(np.subtract(replayed, recorded), axis=1)
    assert distances.shape == (EPISODES,)
    assert distances.max() < TOLERANCE_M, distances
