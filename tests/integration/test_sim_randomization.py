"""What is drawn for each episode of the virtual arm stands in the dataset, and no policy is fed with it."""

import numpy as np

from lerobot.core.cli.app import main
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.features import features_of_dataset


def test_draws_are_recorded_per_episode(lerobot_home) -> None:
    robot = ["--robot.type=sim_so101", "--robot.task=reach", "--robot.realtime=false", "--robot.seed=3"]
    varied = ["--robot.randomization.strength=1", "--robot.randomization.seed=5"]
    times = ["--dataset.episode_time_s=0.5", "--dataset.reset_time_s=0.1", "--dataset.num_episodes=2"]
    name = ["--dataset.repo_id=me/reach", "--dataset.no_stamp=true", "--dataset.single_task=R", "--play_sounds=false"]
    assert main(["lerobot", "record", *robot, *varied, "--teleop.type=scripted", *name, *times]) == 0
    dataset = LeRobotDataset("me/reach")
    names = dataset.meta.features["scene_values"]["names"]
    table = dataset.select_columns(["episode_index", "scene_values"])[:]
    episodes, values = np.asarray(table["episode_index"]), np.asarray(table["scene_values"])
    from lerobot.sim.config import RandomizationConfig
    from lerobot.sim.tasks import TASKS
    from lerobot.sim.world import World

    again = World(TASKS["reach"](), randomization=RandomizationConfig(strength=1, seed=5))
    for episode in (0, 1):
        again.reset(seed=3, episode=episode)
        drawn = again.randomization.values
        assert names == list(drawn)
        rows = values[episodes == episode]
        assert len(rows) > 5
        np.testing.assert_array_equal(rows, np.tile(np.array(list(drawn.values()), np.float32), (len(rows), 1)))
    assert "scene_values" not in features_of_dataset(dataset.meta.features)
