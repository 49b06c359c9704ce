"""A recorded episode, replayed on the virtual arm, leaves the cube where the recording left it."""

import sys

import numpy as np
import pytest

from lerobot.core.cli.app import main

WATCH = """
from lerobot.core.hooks import hookimpl
from lerobot.sim.running import running

cubes = []

@hookimpl
def episode_end():
    cubes.extend(world.position("cube").copy() for world in running.all())
"""
TOLERANCE_M = 0.005


@pytest.mark.parametrize("episodes", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_the_cube_ends_where_the_recording_left_it(tmp_plugin, lerobot_home, capsys, episodes: int) -> None:
    tmp_plugin.install("lerobot-watch", {"hooks": {"watch": "watch"}}, {"watch": WATCH})
    robot = ["--robot.type=sim_so101", "--robot.task=lift", "--robot.realtime=false"]
    times = ["--dataset.episode_time_s=8", "--dataset.reset_time_s=1", f"--dataset.num_episodes={episodes}"]
    name = ["--dataset.repo_id=me/lift", "--dataset.no_stamp=true", "--dataset.single_task=Lift", "--play_sounds=false"]
    assert main(["lerobot", "record", *robot, "--teleop.type=scripted", *name, *times]) == 0
    recorded = [*sys.modules["watch"].cubes]
    assert len(recorded) == episodes
    assert all(cube[2] > 0.05 for cube in recorded), "the expert lifted every cube"
    for episode in range(episodes):
        assert main(["lerobot", "replay", *robot, "--dataset.repo_id=me/lift", f"--dataset.episode={episode}"]) == 0
    replayed = sys.modules["watch"].cubes[episodes:]
    distances = np.linalg.norm(np.subtract(replayed, recorded), axis=1)
    assert distances.shape == (episodes,)
    assert distances.max() < TOLERANCE_M, distances
