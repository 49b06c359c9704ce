"""Labels of a recording: rewards of a model, successes of a model or detector, shown every frame once and in order."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig
from lerobot.dataset_tools.edit.command import edit_dataset
from lerobot.datasets.dataset.conditions import episodes_where
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.reader.source import open_source

LENGTHS = [3, 4, 1, 5, 2, 6]
FRAME = np.concatenate([np.arange(length) for length in LENGTHS])


@pytest.fixture
def judges(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import judges

    judges.SHOWN.clear()
    with registry.temporary():
        registry.register("reward_model", "count", judges.CountConfig)
        registry.register("success_detector", "late", judges.LateConfig)
        yield judges
    del sys.modules["judges"]


def edit(root, *flags):
    edit_dataset(load(EditDatasetConfig, [f"--root={root}", "--operation.type=label_success", *flags]).config)


def column(root, key):
    return np.array(
        [item[key].item() for item in LeRobotDataset("a/b", root).read_arrays(range(len(FRAME)), pictures=False)]
    )


def test_a_reward_model_sees_every_frame_once(judges, dataset, monkeypatch):
    """Frame k of every episode has k as the second element of its state; four frames are judged at a time."""
    monkeypatch.setattr("lerobot.dataset_tools.edit.labels._AT_ONCE", 4)
    edit(dataset, "--operation.reward_model.type=count", "--operation.reward_model.success_from=1.5")
    assert column(dataset, "next.reward").tolist() == FRAME.tolist()
    assert column(dataset, "next.success").tolist() == (FRAME >= 1.5).tolist()
    counts = [[min(4, length - first) for first in range(0, length, 4)] for length in LENGTHS]
    expected = []
    for episode, parts in enumerate(counts):
        expected.append("reset")
        for count in parts:
            state, picture = ((count, 3), "float32"), ((count, *picture_shape(dataset)), "uint8")
            expected.append((f"task {episode % 3}", {"observation.state": state, "observation.images.left": picture}))
    assert expected == judges.SHOWN
    assert episodes_where(open_source(dataset), ["any(next.success) == true"]).tolist() == [0, 1, 3, 5]


def picture_shape(root):
    return tuple(LeRobotDataset("a/b", root).features["observation.images.left"]["shape"])


def test_a_detector_sees_what_the_robot_saw_at_its_time(judges, dataset):
    """30 frames a second: after 0.05 s are those from the third on."""
    edit(dataset, "--operation.detector.type=late", "--operation.detector.after_s=0.05")
    assert column(dataset, "next.success").tolist() == (FRAME > 1).tolist()
    assert "next.reward" not in LeRobotDataset("a/b", dataset).features
    declared, *shown = judges.SHOWN
    assert shown.count("reset") == len(LENGTHS)
    assert all(each == declared for each in shown if each != "reset")
    assert {"a", "b", "left"} <= declared.keys()
    assert declared["left"] == picture_shape(dataset)
    assert declared["a"] == ()


def test_a_labelled_dataset_is_not_labelled_again(judges, dataset):
    edit(dataset, "--operation.detector.type=late")
    for flag in ("--operation.detector.type=late", "--operation.reward_model.type=count"):
        with pytest.raises(FeatureMismatchError, match=r"next\.success already"):
            edit(dataset, flag)


def test_what_a_model_looks_at_must_be_there(judges, dataset):
    with pytest.raises(FeatureMismatchError, match=r"has no observation\.images\.back"):
        edit(
            dataset, "--operation.reward_model.type=count", "--operation.reward_model.inputs=[observation.images.back]"
        )


@pytest.mark.parametrize("flags", [(), ("--operation.detector.type=late", "--operation.reward_model.type=count")])
def test_there_is_one_judge(judges, dataset, flags):
    with pytest.raises(ConfigError, match="one of the two"):
        edit(dataset, *flags)
