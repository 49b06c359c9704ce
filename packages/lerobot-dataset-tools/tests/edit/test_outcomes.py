"""Outcomes that a person gives: a column that is made, and one that is changed."""

import numpy as np
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.errors import ConfigError, DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit import add_feature, set_outcome, undo
from lerobot.datasets.checks import check_structure
from lerobot.datasets.lerobot_dataset import LeRobotDataset

LENGTHS = [3, 4, 1, 5, 2, 6]


def outcomes(root):
    dataset = LeRobotDataset("a/b", root)
    values = [item["outcome"] for item in dataset.read_arrays(range(len(dataset)))]
    stops = np.cumsum(LENGTHS)
    parts = [set(values[stop - length : stop]) for length, stop in zip(LENGTHS, stops, strict=True)]
    assert all(len(part) == 1 for part in parts)
    return [part.pop() for part in parts]


def test_given_and_corrected_by_command(dataset, hashes, recorded_hashes, statistics_are_exact, capsys):
    set_outcome(dataset, "failure", [1, 4])
    assert outcomes(dataset) == ["unknown", "failure", "unknown", "unknown", "failure", "unknown"]
    words = [f"--root={dataset}", "--operation.type=set_outcome", "--operation.outcome=success"]
    run_command("edit-dataset", [*words, "--operation.episode_indices=[0, 4]"])
    assert "6 episodes" in capsys.readouterr().out
    assert outcomes(dataset) == ["success", "failure", "unknown", "unknown", "success", "unknown"]
    assert check_structure(dataset) == []
    statistics_are_exact(dataset)
    undo(dataset)
    undo(dataset)
    assert outcomes(dataset)[4] == "success"


def test_nothing_else_changes(dataset, recorded_hashes, hashes):
    from lerobot.dataset_tools.edit import remove_feature

    set_outcome(dataset, "success")
    remove_feature(dataset, ["outcome"])
    assert hashes(dataset) == [each for episode in recorded_hashes for each in episode]


def test_what_is_refused(dataset, tmp_path):
    with pytest.raises(DatasetError, match="no episode 9"):
        set_outcome(dataset, "success", [9])
    with pytest.raises(ConfigError, match="outcome"):
        run_command("edit-dataset", [f"--root={dataset}", "--operation.type=set_outcome", "--operation.outcome=good"])
    add_feature(dataset, "outcome", values=1.0)
    with pytest.raises(FeatureMismatchError, match="outcome as float32"):
        set_outcome(dataset, "success")
