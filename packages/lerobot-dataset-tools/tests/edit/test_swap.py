"""Edits that fail change nothing, edits that succeed can be taken back, and no earlier state is ever lost."""

import errno

import pytest

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit import swap
from lerobot.dataset_tools.edit.selection import delete_episodes
from lerobot.dataset_tools.edit.swap import backups, undo
from lerobot.datasets.writer.recorder import DatasetRecorder

LENGTHS = [3, 4, 1, 5, 2, 6]


def test_undo_and_redo(dataset, kit):
    delete_episodes(dataset, [0])
    undo(dataset)
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 5], LENGTHS)
    undo(dataset)
    kit.check_dataset(dataset, [1, 2, 3, 4, 5], LENGTHS[1:])


def test_every_earlier_state_stays(dataset, kit):
    for _ in range(3):
        delete_episodes(dataset, [0])
    assert [path.name for path in backups(dataset)] == ["set_old", "set_old2", "set_old3"]
    for first, path in enumerate(backups(dataset)):
        kit.check_dataset(path, list(range(first, 6)), LENGTHS[first:])
    assert not list(dataset.parent.glob(".*"))
    assert not list(dataset.glob(".*"))


def test_a_folder_that_only_looks_like_a_backup_is_not_used(dataset):
    (dataset.parent / "set_older").mkdir()
    with pytest.raises(DatasetError, match="no backup"):
        undo(dataset)
    (dataset.parent / "set_old").mkdir()
    (dataset.parent / "set_old/notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="no backup"):
        undo(dataset)
    delete_episodes(dataset, [0])
    assert (dataset.parent / "set_old/notes.txt").read_text() == "mine"
    assert (dataset.parent / "set_old2/meta/info.json").exists()


@pytest.mark.parametrize("step", ["write_rows", "write_videos", "write_episodes", "flush_tree"])
def test_a_full_disk_changes_nothing(dataset, kit, monkeypatch, step):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"lerobot.dataset_tools.edit.build.{step}", fail)
    with pytest.raises(DatasetError, match="No space left"):
        delete_episodes(dataset, [0])
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 5], LENGTHS)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_a_file_system_that_cannot_swap_is_refused_before_the_work(dataset, kit, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(swap, "exchange", fail)
    with pytest.raises(DatasetError, match="cannot be edited in place"):
        delete_episodes(dataset, [0])
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 5], LENGTHS)
    kit.check_dataset(delete_episodes(dataset, [0], tmp_path / "new").root, [1, 2, 3, 4, 5], LENGTHS[1:])


def test_a_recording_in_progress_is_not_edited(dataset, kit):
    with DatasetRecorder.resume(dataset) as recorder:
        with pytest.raises(DatasetError, match="being written"):
            delete_episodes(dataset, [0])
        kit.record(recorder, 6, 1)
    delete_episodes(dataset, [0])
    kit.check_dataset(dataset, [1, 2, 3, 4, 5, 6], [*LENGTHS[1:], 1])


def test_an_edited_dataset_is_independent_of_its_backup(dataset, kit):
    delete_episodes(dataset, [5])
    with DatasetRecorder.resume(dataset) as recorder:
        kit.record(recorder, 9, 2)
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 9], [*LENGTHS[:5], 2])
    kit.check_dataset(backups(dataset)[-1], [0, 1, 2, 3, 4, 5], LENGTHS)


def test_the_card_stays(dataset):
    (dataset / "README.md").write_text("about")
    delete_episodes(dataset, [0])
    assert (dataset / "README.md").read_text() == "about"


def test_a_half_built_folder_of_a_killed_edit_is_cleaned(dataset, kit):
    aside = swap.aside_folder(dataset)
    (aside / "data").mkdir(parents=True)
    delete_episodes(dataset, [0])
    assert not aside.exists()
    kit.check_dataset(dataset, [1, 2, 3, 4, 5], LENGTHS[1:])


def test_a_swap_that_fails_at_last_leaves_nothing_behind(dataset, kit, monkeypatch):
    swap_folders = swap.exchange

    def fail(one, other):
        if one == dataset:
            raise OSError(errno.EIO, "Input/output error")
        swap_folders(one, other)

    monkeypatch.setattr(swap, "exchange", fail)
    with pytest.raises(DatasetError, match="Input/output error"):
        delete_episodes(dataset, [0])
    kit.check_dataset(dataset, [0, 1, 2, 3, 4, 5], LENGTHS)
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]
