"""Edits as methods of `LeRobotDataset`: every value and image of every frame, before and after, by its row."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.core.registry.resolve import Registry
from lerobot.dataset_tools.edit.swap import undo
from lerobot.datasets.format.info import load_info
from lerobot.datasets.lerobot_dataset import LeRobotDataset, merge_datasets
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 4, 1, 5, 2, 6]
STATE, ACTION, LEFT, RIGHT = "observation.state", "action", "observation.images.left", "observation.images.right"
SOME_EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


def rows(dataset, key):
    return np.stack([item[key] for item in dataset.read_arrays(range(len(dataset)), pictures=False)])


def labels(dataset):
    """Which recorded episode each frame is of: the recording says so in its state."""
    return rows(dataset, STATE)[:, 0].astype(int).tolist()


def repeated(numbers):
    return [number for number in numbers for _ in range(LENGTHS[number])]


@pytest.fixture
def opened(dataset):
    return LeRobotDataset("me/set", dataset)


def test_deleting_changes_the_dataset_and_the_object(opened, dataset, recorded_hashes, hashes, statistics_are_exact):
    assert opened.delete_episodes([0, 2]) is opened
    assert labels(opened) == repeated([1, 3, 4, 5])
    assert (opened.num_episodes, opened.meta.total_episodes, len(opened)) == (4, 4, 17)
    assert hashes(dataset) == [frame for number in (1, 3, 4, 5) for frame in recorded_hashes[number]]
    statistics_are_exact(dataset)
    undo(dataset)
    assert load_info(dataset).total_episodes == 6


def test_deleting_by_a_condition(opened):
    opened.delete_episodes(where="length < 3")
    assert labels(opened) == repeated([0, 1, 3, 5])
    opened.delete_episodes([0], where=["task == 'task 1'", "max(action[b]) <= 0"])
    assert labels(opened) == repeated([3, 5])


@SOME_EXAMPLES
@given(
    values=st.sampled_from(["rows", "one", "none"]), shape=st.sampled_from([(1,), (2,), (2, 3)]), seed=st.integers(0)
)
def test_an_added_feature(values, shape, seed, recorded, tmp_path_factory, statistics_are_exact):
    root = shutil.copytree(recorded, tmp_path_factory.mktemp("add") / "set")
    dataset, before = LeRobotDataset("me/set", root), rows(LeRobotDataset("me/set", root), STATE)
    rng = np.random.default_rng(seed)
    given_values = {
        "rows": rng.normal(size=(21, *shape)),
        "one": rng.normal(size=shape if shape != (1,) else ()),
        "none": None,
    }[values]
    dataset.add_feature(name="extra", dtype="float64", shape=shape, values=given_values)
    wanted = np.zeros((21, *shape)) if given_values is None else np.broadcast_to(given_values, (21, *shape))
    # Readers give numbers of any float type as float32; the files hold what was given.
    np.testing.assert_array_equal(rows(dataset, "extra").reshape(21, *shape), wanted.astype(np.float32))
    np.testing.assert_array_equal(rows(dataset, STATE), before)
    assert dataset.features["extra"]["shape"] == shape
    if len(shape) == 1:
        statistics_are_exact(root)


def test_an_added_text(opened):
    opened.add_feature("note", "string")
    assert {item["note"] for item in opened.read_arrays(range(21), pictures=False)} == {""}


@pytest.mark.parametrize(
    ("values", "what"),
    [(np.zeros(20), r"values \(20,\)"), (np.zeros((21, 2)), r"values \(21, 2\)"), ([["a"]], "values")],
)
def test_values_that_do_not_fit_are_refused(opened, dataset, values, what):
    with pytest.raises(FeatureMismatchError, match=what):
        opened.add_feature("extra", values=values)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_removing_follows_the_windows(dataset):
    opened = LeRobotDataset("me/set", dataset, delta_timestamps={ACTION: [0, 1 / 30], STATE: [0]})
    opened.remove_feature(ACTION)
    assert opened[3][STATE].shape == (1, 3)
    assert ACTION not in opened[3]
    opened.remove_feature([STATE, LEFT])
    assert set(opened.meta.camera_keys) == {RIGHT}
    assert opened.delta_timestamps is None


@SOME_EXAMPLES
@given(
    names=st.sampled_from(
        [
            {STATE: "state"},
            {STATE: ACTION, ACTION: STATE},
            {LEFT: "observation.images.wrist"},
            {LEFT: RIGHT, RIGHT: LEFT},
            {LEFT: "front", ACTION: "command", STATE: "action"},
        ]
    )
)
def test_renaming_keeps_everything_but_the_names(names, recorded, tmp_path_factory, statistics_are_exact):
    from lerobot.dataset_tools.edit.features import rename_feature

    root = shutil.copytree(recorded, tmp_path_factory.mktemp("rename") / "set")
    before = LeRobotDataset("me/set", root)
    items, stats = before.read_arrays(range(21)), before.meta.stats
    rename_feature(root, names)
    after = LeRobotDataset("me/set", root)
    for old, new in zip(items, after.read_arrays(range(21)), strict=True):
        assert set(new) == {names.get(key, key) for key in old}
        for key, value in old.items():
            np.testing.assert_array_equal(new[names.get(key, key)], value)
    for key, values in stats.items():
        for name, value in values.items():
            np.testing.assert_array_equal(after.meta.stats[names.get(key, key)][name], value)
    declared = before.meta.info.features
    assert list(load_info(root).features) == [names.get(key, key) for key in declared]
    statistics_are_exact(root)


def test_renaming_a_camera_touches_no_row_and_no_video(opened, dataset):
    def files():
        return sorted(path.stat().st_ino for name in ("data", "videos") for path in (dataset / name).rglob("file-*"))

    before = files()
    opened.rename_feature(LEFT, "observation.images.wrist")
    assert files() == before
    assert not (dataset / "videos" / LEFT).exists()
    assert opened.meta.camera_keys == ["observation.images.wrist", RIGHT]


def test_renaming_an_old_dataset(make_dataset, tmp_path):
    root = make_dataset(tmp_path / "old", [3, 2], version="v2.0")
    before = rows(LeRobotDataset("me/old", root), STATE)
    renamed = LeRobotDataset("me/old", root).rename_feature(STATE, "state")
    assert renamed.meta.info.codebase_version == "v3.0"
    np.testing.assert_array_equal(rows(renamed, "state"), before)
    assert "state" in renamed.meta.stats


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("nothing", "new", "no feature nothing"),
        ("index", "new", "no feature index"),
        (STATE, ACTION, "action twice"),
        (STATE, "timestamp", "timestamp twice"),
        (STATE, "a/b", "without '/'|cannot be used"),
    ],
)
def test_renames_that_are_refused(opened, dataset, old, new, what):
    with pytest.raises(FeatureMismatchError, match=what):
        opened.rename_feature(old, new)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_adding_an_episode_from_a_list(opened, dataset, kit):
    saved = opened.add_episode([kit.frame(6, number) for number in range(4)])
    assert (saved.index, saved.length, opened.num_episodes) == (6, 4, 7)
    kit.check_dataset(dataset, list(range(7)), [*LENGTHS, 4])
    without_task = [{key: value for key, value in kit.frame(7, n).items() if key != "task"} for n in range(2)]
    opened.add_episode(without_task, task="task 1")
    kit.check_dataset(dataset, list(range(8)), [*LENGTHS, 4, 2])
    opened.delete_episodes([0])
    kit.check_dataset(dataset, list(range(1, 8)), [*LENGTHS[1:], 4, 2])


def test_an_episode_with_a_wrong_frame_is_not_added_at_all(opened, dataset, kit):
    frames = [kit.frame(6, 0), {**kit.frame(6, 1), STATE: np.zeros(2, np.float32)}]
    with pytest.raises(FeatureMismatchError, match=r"observation\.state"):
        opened.add_episode(frames)
    kit.check_dataset(dataset, list(range(6)), LENGTHS)
    opened.add_episode([kit.frame(6, 0)])
    kit.check_dataset(dataset, list(range(7)), [*LENGTHS, 1])


def test_adding_while_recording_and_editing_after_it(tmp_path, kit):
    dataset = LeRobotDataset.create("me/new", 30, kit.FEATURES, root=tmp_path / "new")
    for label in range(3):
        dataset.add_episode([kit.frame(label, number) for number in range(2)])
    dataset.add_frame(kit.frame(3, 0))
    for change in (lambda: dataset.delete_episodes([0]), lambda: dataset.add_episode([kit.frame(4, 0)])):
        with pytest.raises(DatasetError, match="in progress"):
            change()
    dataset.save_episode()
    dataset.delete_episodes([0])
    kit.check_dataset(tmp_path / "new", [1, 2, 3], [2, 2, 1])
    dataset.add_episode([kit.frame(4, 0)])
    kit.check_dataset(tmp_path / "new", [1, 2, 3, 4], [2, 2, 1, 1])


def test_parts_are_views_that_can_be_saved(opened, dataset, tmp_path, recorded_hashes, hashes, statistics_are_exact):
    train, val = opened.split([0.7, 0.3])
    assert (labels(train), labels(val)) == (repeated([0, 1, 2, 3]), repeated([4, 5]))
    assert [path.name for path in dataset.parent.iterdir()] == ["set"], "splitting writes nothing"
    saved = val.save(tmp_path / "val")
    assert (saved.repo_id, saved.num_episodes) == ("val", 2)
    assert hashes(tmp_path / "val") == [*recorded_hashes[4], *recorded_hashes[5]]
    statistics_are_exact(tmp_path / "val")
    named = opened.split({"train": 0.5, "val": 0.2, "test": 0.3})
    assert {name: part.episode_indices.tolist() for name, part in named.items()} == {
        "train": [0, 1, 2],
        "val": [3],
        "test": [4, 5],
    }


def test_a_saved_dataset_is_the_same_frames(opened, tmp_path, recorded_hashes, hashes):
    opened.save(tmp_path / "copy", repo_id="me/copy").delete_episodes([0])
    assert hashes(opened.root) == [frame for each in recorded_hashes for frame in each], "a copy is changed alone"
    with pytest.raises(DatasetError, match="already exists"):
        opened.save(tmp_path / "copy")


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.delete_episodes([0]),
        lambda part: part.add_episode([]),
        lambda part: part.push_to_hub(repo_id="me/part"),
    ],
)
def test_a_part_is_not_changed_and_not_taken_for_the_whole(opened, change):
    part = opened.split([0.5, 0.5])[0]
    with pytest.raises(DatasetError, match=r"3 (of its )?episodes"):
        change(part)


def test_parts_without_episodes_are_refused(opened):
    with pytest.raises(DatasetError, match=r"part 1 gets no episode: 0\.1 of 6"):
        opened.split([0.8, 0.1, 0.1])
    with pytest.raises(DatasetError, match="split fractions are"):
        opened.split([0.8, 0.8])


def test_merging_datasets_and_parts(opened, tmp_path, recorded_hashes, hashes, monkeypatch, statistics_are_exact):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    last = opened.split([0.5, 0.5])[1]
    merged = merge_datasets([last, opened])
    assert (merged.repo_id, merged.root) == ("me/set_merged", tmp_path / "home/me/set_merged")
    assert hashes(merged.root) == [f for n in (3, 4, 5, 0, 1, 2, 3, 4, 5) for f in recorded_hashes[n]]
    statistics_are_exact(merged.root)
    elsewhere = merge_datasets([opened, opened], "me/twice", tmp_path / "twice")
    assert elsewhere.num_episodes == 12
    with pytest.raises(DatasetError, match="1 dataset to merge"):
        merge_datasets([opened])


def test_slices_and_episodes_are_read_when_they_are_used(opened, monkeypatch):
    reads = []
    read = type(opened.reader).read_columns
    monkeypatch.setattr(
        type(opened.reader), "read_columns", lambda self, at: (reads.append(len(at)), read(self, at))[1]
    )
    part = opened[2:12:2]
    episode = opened.get_episode(3)
    assert (len(part), len(episode), reads) == (5, 5, [])
    assert [int(item["index"]) for item in part] == [2, 4, 6, 8, 10]
    assert [int(item["index"]) for item in part[1:-1]] == [4, 6, 8]
    assert [item[STATE].tolist() for item in episode] == [[3, k, 3000 + k] for k in range(5)]
    with pytest.raises(DatasetError, match="no episode 6"):
        opened.get_episode(6)


def test_a_copy_of_the_hub_is_edited_beside_it(recorded, tmp_path, monkeypatch, hashes, recorded_hashes):
    """The cache holds links to files that other commits share, so that it must never change."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    cache = tmp_path / "hub/datasets--me--set"
    blobs, snapshot = cache / "blobs", cache / "snapshots" / ("1" * 40)
    blobs.mkdir(parents=True)
    for number, path in enumerate(sorted(path for path in recorded.rglob("*") if path.is_file())):
        shutil.copy(path, blobs / str(number))
        place = snapshot / path.relative_to(recorded)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(blobs / str(number))
    before = {path.name: path.read_bytes() for path in blobs.iterdir()}
    dataset = LeRobotDataset("me/set", snapshot)
    dataset.add_feature("reward")
    assert dataset.root == tmp_path / "me/set"
    assert not [path for path in dataset.root.rglob("*") if path.is_symlink()]
    dataset.delete_episodes([0])
    dataset.remove_feature("reward")
    assert hashes(dataset.root) == [frame for each in recorded_hashes[1:] for frame in each]
    assert not [path for path in dataset.root.rglob("*") if path.is_symlink()]
    assert {path.name: path.read_bytes() for path in blobs.iterdir()} == before
    assert load_info(snapshot).total_episodes == 6
    again = LeRobotDataset("me/set", snapshot)
    with pytest.raises(DatasetError, match="never changes"):
        again.add_episode([])


def test_without_the_tools_one_line_says_what_to_install(opened, monkeypatch):
    monkeypatch.setenv("LEROBOT_BLOCK_PLUGINS", "lerobot-dataset-tools")
    monkeypatch.setattr("lerobot.datasets.dataset.edits.registry", Registry())
    with pytest.raises(Exception, match="provided by 'lerobot-dataset-tools', which is not installed") as caught:
        opened.delete_episodes([0])
    assert "./packages/lerobot-dataset-tools" in caught.value.hint
    assert len(opened[:3]) == 3


def test_an_edit_while_somebody_else_records_is_refused(opened, dataset):
    recorder = DatasetRecorder.resume(dataset)
    try:
        with pytest.raises(DatasetError, match="being written"):
            opened.delete_episodes([0])
    finally:
        recorder.close()
