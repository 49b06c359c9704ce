"""Edits of rows in shards, done in this process in any order: the same bytes as without an engine."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig
from lerobot.dataset_tools.edit import merge
from lerobot.dataset_tools.edit.command import edit_dataset
from lerobot.dataset_tools.edit.features import add_feature
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.plan import load_plan
from lerobot.jobs.shard import run_shard

OPERATIONS = {
    "merge": (["--operation.type=merge", "--operation.roots=[{root}, {root}]"], 1),
    "merge without joining": (
        ["--operation.type=merge", "--operation.roots=[{root}, {root}]", "--operation.concatenate_data=false"],
        3,  # the first three files are taken as they are
    ),
    "remove": (["--root={root}", "--operation.type=remove_feature", "--operation.feature_names=[action]"], 3),
    "rename": (["--root={root}", "--operation.type=rename_feature", "--operation.names={{action: command}}"], 3),
    "add one value": (
        ["--root={root}", "--operation.type=add_feature", "--operation.name=hand", "--operation.value=2.5"],
        3,
    ),
    "add a file": (
        ["--root={root}", "--operation.type=add_feature", "--operation.name=hand", "--operation.values={values}"],
        3,
    ),
}


class Backwards:
    """An engine that does the last shard first, and notes how many there were."""

    def __init__(self, seen):
        self.seen = seen

    def run(self, plan_file, shards, ended):
        self.seen.append([shard.row["work"] for shard in load_plan(plan_file).shards])
        for index in reversed(shards):
            run_shard(plan_file, index)
            ended(index)


@pytest.fixture(scope="module")
def three(recorded, tmp_path_factory):
    """A dataset of three data files."""
    folder = tmp_path_factory.mktemp("three")
    parts = [Path(shutil.copytree(recorded, folder / str(number))) for number in range(3)]
    return merge(parts, folder / "set", join_data=False, join_videos=False).root


@pytest.fixture
def engine(monkeypatch):
    seen: list[list[str]] = []
    monkeypatch.setattr(LocalExecutorConfig, "build", lambda _config: Backwards(seen))
    return seen


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_engine_writes_the_same_bytes(three, tmp_path, engine, name):
    words, shards = OPERATIONS[name]
    np.save(tmp_path / "values.npy", np.arange(63, dtype=np.float64) / 7)
    flags = [word.format(root=three, values=tmp_path / "values.npy") for word in words]
    edit_dataset(load(EditDatasetConfig, [*flags, f"--new_root={tmp_path / 'here'}"]).config)
    assert not engine
    edit_dataset(load(EditDatasetConfig, [*flags, f"--new_root={tmp_path / 'there'}", "--executor.type=local"]).config)
    assert engine == [["rows"] * shards]
    assert content(tmp_path / "there") == content(tmp_path / "here")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there", "values.npy"]


@pytest.mark.usefixtures("engine")
def test_values_that_only_this_process_has_are_refused(three, tmp_path):
    work = ShardedWork(LocalExecutorConfig(), {})
    with pytest.raises(DatasetError, match=r"values of hand are only in this process(.|\n)*expected: an .npy file"):
        add_feature(three, "hand", tmp_path / "set", values=np.arange(63), work=work)
    assert not (tmp_path / "set").exists()


def test_an_edit_that_is_not_done_in_shards_refuses_an_engine(tmp_path):
    flags = [f"--root={tmp_path}", "--operation.type=repair", "--executor.type=local"]
    with pytest.raises(ConfigError, match=r"^.*done in shards, which repair is not: add_feature, .*, trim$"):
        load(EditDatasetConfig, flags)
