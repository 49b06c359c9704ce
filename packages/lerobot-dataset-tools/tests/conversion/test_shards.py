"""Imports in shards, done in this process: what they hold, and what is said about a damaged source."""

import json

import numpy as np
import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.conversion.choices import ImportChoices
from lerobot.dataset_tools.conversion.shards import import_in_shards, import_plan
from lerobot.dataset_tools.edit.job import job_folder
from lerobot.dataset_tools.formats.config import HDF5Config, NpzConfig
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.shard import run_shard

CHOICES = ImportChoices(fps=10, task="do it", video=False)
TINY = 0.0001


class Here:
    def run(self, plan_file, shards, ended):
        for index in shards:
            run_shard(plan_file, index)
            ended(index)


class HereConfig(LocalExecutorConfig):
    def build(self, **_):
        return Here()


def write(folder, episodes=5, *, odd=None):
    folder.mkdir()
    for episode in range(episodes):
        action = np.full((episode + 1, 2 if episode != odd else 3), episode, np.float32)
        np.savez(folder / f"{episode}.npz", action=action)
    return NpzConfig(path=folder)


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_size_of_shards_changes_nothing(tmp_path, kit):
    config = write(tmp_path / "in")
    for name, megabytes in (("small", TINY), ("large", 64)):
        result = import_in_shards(config, tmp_path / name, CHOICES, HereConfig(), megabytes)
        assert (result.episodes, result.frames) == (5, 15)
    assert [len(import_plan(config, CHOICES, megabytes).shards) for megabytes in (TINY, 64)] == [5, 1]
    assert content(tmp_path / "small") == content(tmp_path / "large")
    assert kit.read(tmp_path / "small").lengths == [1, 2, 3, 4, 5]


def test_episodes_that_are_left_out(tmp_path, kit):
    config, choices = write(tmp_path / "in"), CHOICES.model_copy(update={"skip_episodes": [0, 3]})
    import_in_shards(config, tmp_path / "set", choices, HereConfig(), TINY)
    assert kit.read(tmp_path / "set").lengths == [2, 3, 5]
    with pytest.raises(DatasetError, match="no episode 5 to skip"):
        import_plan(config, CHOICES.model_copy(update={"skip_episodes": [5]}), TINY)
    everything = CHOICES.model_copy(update={"skip_episodes": list(range(5))})
    with pytest.raises(DatasetError, match="every episode of the source is left out"):
        import_in_shards(config, tmp_path / "none", everything, HereConfig(), TINY)
    assert not (tmp_path / "none").exists()


def test_a_shard_of_other_features_is_refused(tmp_path):
    config = write(tmp_path / "in", odd=3)
    with pytest.raises(FeatureMismatchError, match=r"3\.npz: action is .*3"):
        import_in_shards(config, tmp_path / "set", CHOICES, HereConfig(), TINY)
    assert not (tmp_path / "set").exists()
    assert job_folder(tmp_path / "set").exists()


def test_an_episode_is_named_by_its_number_in_the_whole_source(tmp_path):
    config = write(tmp_path / "in", odd=3)
    size = 2.5 * (tmp_path / "in" / "0.npz").stat().st_size / 2**20
    assert [len(shard.row["files"]) for shard in import_plan(config, CHOICES, size).shards] == [2, 2, 1]
    with pytest.raises(DatasetError, match=r"episode 3 \(.*3\.npz\)") as refused:
        import_in_shards(config, tmp_path / "set", CHOICES, HereConfig(), size)
    assert "--skip_episodes=[3]" in refused.value.hint


def test_one_file_is_cut_by_its_episodes(tmp_path, kit):
    ends, action = np.array([2, 5, 9]), np.arange(9, dtype=np.float32)[:, None]
    np.savez(tmp_path / "all.npz", action=action, episode_ends=ends)
    config = NpzConfig(path=tmp_path / "all.npz")
    shards = import_plan(config, CHOICES, TINY).shards
    assert [shard.row["episodes"] for shard in shards] == [[0, 1], [1, 2], [2, 3]]
    import_in_shards(config, tmp_path / "set", CHOICES, HereConfig(), TINY)
    read = kit.read(tmp_path / "set")
    assert read.lengths == [2, 3, 4]
    assert read.columns["action"].ravel().tolist() == list(range(9))


def test_groups_in_files_of_a_tree(tmp_path, kit):
    h5py = pytest.importorskip("h5py")
    folder = tmp_path / "in"
    for task in ("open_drawer", "close_drawer"):
        (folder / task).mkdir(parents=True)
        with h5py.File(folder / task / "demos.hdf5", "w") as file:
            for demo in range(2):
                file[f"demo_{demo}/a"] = np.full((demo + 1, 2), demo, np.float32)
    choices = ImportChoices(fps=10, overrides={"a": "action", "@folder": "task"}, video=False)
    config = HDF5Config(path=folder)
    assert len(import_plan(config, choices, TINY).shards) == 2
    import_in_shards(config, tmp_path / "set", choices, HereConfig(), TINY)
    read = kit.read(tmp_path / "set")
    assert read.lengths == [1, 2, 1, 2]
    assert list(dict.fromkeys(read.tasks)) == ["close drawer", "open drawer"]


def test_records_are_planned_by_their_files(shared, tmp_path):
    from lerobot.dataset_tools.formats.config import RLDSConfig

    (version,) = (shared / "rlds_mini/fractal_mini").iterdir()
    plan = import_plan(RLDSConfig(path=version), ImportChoices(fps=3), TINY)
    covered = [number for shard in plan.shards for number in range(*shard.row["episodes"])]
    info = json.loads((version / "dataset_info.json").read_text())
    assert len(covered) == sum(int(n) for split in info["splits"] for n in split["shardLengths"])
    result = import_in_shards(RLDSConfig(path=version), tmp_path / "set", ImportChoices(fps=3), HereConfig(), TINY)
    assert result.episodes == len(covered)


def test_an_import_that_is_repeated_says_that_it_is_done(tmp_path):
    config = write(tmp_path / "in", 2)
    import_in_shards(config, tmp_path / "set", CHOICES, HereConfig(), TINY)
    with pytest.raises(DatasetError, match=r"already exists(.|\n)*nothing is left to do; else (.*)--repo_id or --root"):
        import_in_shards(config, tmp_path / "set", CHOICES, HereConfig(), TINY)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").touch()
    with pytest.raises(DatasetError, match=r"already exists\n.*\n.*choose another --repo_id or --root"):
        import_in_shards(config, tmp_path / "other", CHOICES, HereConfig(), TINY)
