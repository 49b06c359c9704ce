"""New instructions: the right frames get them, and only files that change are written."""

import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.writer.recorder import DatasetRecorder

NUMBERS = {"observation.state", "action"}


def tasks_of(root):
    """The task of each episode's frames, and the table."""
    dataset = FrameDataset(LeRobotDatasetMetadata("a/b", root))
    items = dataset.read_arrays(range(len(dataset)), pictures=False)
    by_episode: dict[int, list[str]] = {}
    for item in items:
        by_episode.setdefault(int(item["episode_index"]), []).append(item["task"])
    for episode, texts in by_episode.items():
        assert dataset.meta.episodes[episode]["tasks"] == list(dict.fromkeys(texts))
    return [sorted(set(texts)) for texts in by_episode.values()], dataset.meta.tasks.names


@pytest.fixture
def scattered(kit, tmp_path):
    """Six episodes of tasks 0, 1, 2, 0, 1, 2 in a data file each."""
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    for label in range(6):
        kit.record(recorder, label, 2)
    recorder.close()
    return tmp_path / "set"


def inodes(root):
    return {path.relative_to(root): path.stat().st_ino for path in [*root.rglob("data/*/*"), *root.rglob("*.mp4")]}


def test_replacing_a_text_everywhere_writes_no_data_and_no_video(scattered, statistics_are_exact):
    before = inodes(scattered)
    modify_tasks(scattered, task_replacements={"task 1": "lift"})
    assert inodes(scattered) == before
    assert tasks_of(scattered) == ([[t] for t in ["task 0", "lift", "task 2"] * 2], ["task 0", "lift", "task 2"])
    statistics_are_exact(scattered)


def test_only_the_files_of_changed_episodes_are_written(scattered, statistics_are_exact):
    before = inodes(scattered)
    modify_tasks(scattered, episode_tasks={4: "special"})
    changed = [path.name for path, inode in inodes(scattered).items() if before[path] != inode]
    assert changed == ["file-004.parquet"]
    assert tasks_of(scattered)[0][4] == ["special"]
    assert tasks_of(scattered)[1] == ["task 0", "task 1", "task 2", "special"]
    statistics_are_exact(scattered)


def test_precedence(scattered):
    modify_tasks(scattered, new_task="any", episode_tasks={0: "mine"}, task_replacements={"task 2": "third"})
    expected = [["mine"], ["any"], ["third"], ["any"], ["any"], ["third"]]
    texts, table = tasks_of(scattered)
    assert texts == expected
    assert sorted(table) == ["any", "mine", "third"]


def test_all_become_one(scattered, statistics_are_exact):
    modify_tasks(scattered, new_task="one")
    assert tasks_of(scattered) == ([["one"]] * 6, ["one"])
    statistics_are_exact(scattered)


def test_swapping_two_texts(scattered):
    modify_tasks(scattered, task_replacements={"task 0": "task 1", "task 1": "task 0"})
    assert tasks_of(scattered)[0][:2] == [["task 1"], ["task 0"]]


def test_several_tasks_in_one_episode_stay_apart(kit, tmp_path):
    features = {"x": {"dtype": "float32", "shape": (1,), "names": None}}
    with DatasetRecorder.create(tmp_path / "set", 30, features) as recorder:
        for number in range(4):
            recorder.add_frame({"x": 0.0}, f"part {number // 2}")
        recorder.save_episode()
    modify_tasks(tmp_path / "set", task_replacements={"part 1": "end"})
    assert tasks_of(tmp_path / "set") == ([["end", "part 0"]], ["part 0", "end"])


def test_values_and_images_stay(dataset, recorded_hashes, kit):
    modify_tasks(dataset, task_replacements={"task 1": "task 0"})
    rows = pq.read_table(dataset / "data/chunk-000/file-000.parquet").to_pylist()
    assert [row["observation.state"][1] for row in rows if row["episode_index"] == 3] == [0, 1, 2, 3, 4]
    found = kit.read_dataset(dataset)
    assert [e.images["observation.images.right"] for e in found] == [
        [(1, label, k) for k in range(len(part))] for label, part in enumerate(recorded_hashes)
    ]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({}, "no new task"),
        ({"new_task": " "}, "empty"),
        ({"episode_tasks": {6: "x"}}, "no episode 6"),
        ({"task_replacements": {"task 9": "x"}}, "no task 'task 9'"),
    ],
)
def test_wrong_wishes(dataset, arguments, what):
    with pytest.raises(DatasetError, match=what):
        modify_tasks(dataset, **arguments)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]
