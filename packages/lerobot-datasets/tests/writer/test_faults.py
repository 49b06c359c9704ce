"""Every step of a commit and of joining files fails or is the last one before a kill; nothing acknowledged is lost.

A snapshot of the folder just before a system call is exactly what a kill at that call leaves behind.
"""

import contextlib
import errno
import os
import shutil
from pathlib import Path

import pytest

from lerobot.core.errors import DatasetError
from lerobot.datasets.writer import compaction
from lerobot.datasets.writer.recorder import DatasetRecorder

CALLS = ("fsync", "replace", "mkdir", "link")


@pytest.fixture
def interrupt(monkeypatch):
    """Call `action(n)` before the n-th system call that changes a folder or reaches the disk."""

    def install(action):
        count = 0

        def wrap(original):
            def call(*args, **kwargs):
                nonlocal count
                count += 1
                action(count)
                return original(*args, **kwargs)

            return call

        for name in CALLS:
            monkeypatch.setattr(os, name, wrap(getattr(os, name)))
        monkeypatch.setattr(compaction, "exchange", wrap(compaction.exchange))
        return lambda: count

    yield install
    monkeypatch.undo()


@pytest.fixture(params=[4, pytest.param(1, marks=pytest.mark.slow)])
def every(request):
    """Steps between those that are tried: each one only in the slow session."""
    return request.param


class Snapshots:
    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target, self.taken = source, target, []
        self.busy = False

    def __call__(self, number: int) -> None:
        if self.busy:
            return
        self.busy = True
        self.taken.append(self.target / str(len(self.taken)))
        shutil.copytree(self.source, self.taken[-1])
        self.busy = False


def start(tmp_path, kit, lengths=(3, 2)):
    root = tmp_path / "live" / "set"
    root.parent.mkdir(parents=True)
    recorder = DatasetRecorder.create(root, 30, kit.FEATURES)
    for label, length in enumerate(lengths):
        kit.record(recorder, label, length)
    return root, recorder


def test_a_kill_at_any_step_of_a_save_leaves_the_saved_episodes(tmp_path, kit, interrupt, every):
    root, recorder = start(tmp_path, kit)
    for number in range(4):
        recorder.add_frame(kit.frame(2, number))
    snapshots = Snapshots(root.parent, tmp_path / "killed")
    interrupt(snapshots)
    recorder.save_episode()
    snapshots.busy = True
    recorder.close()
    assert len(snapshots.taken) > 20
    counts = []
    for number, folder in enumerate(snapshots.taken):
        left = folder / "set"
        counts.append(len(kit.read_dataset(left)))
        kit.check_dataset(left, [0, 1, 2][: counts[-1]], [3, 2, 4][: counts[-1]])
        if number % every:
            continue
        with DatasetRecorder.resume(left) as again:
            kit.record(again, 5, 2)
        kit.check_dataset(left, [*[0, 1, 2][: counts[-1]], 5], [*[3, 2, 4][: counts[-1]], 2])
        assert sorted(path.name for path in folder.iterdir()) == ["set"]
        assert not (left / ".recording").exists()
    assert counts == sorted(counts)
    assert set(counts) == {2, 3}


def test_a_kill_at_any_step_of_finalize_leaves_every_episode(tmp_path, kit, interrupt, every):
    root, recorder = start(tmp_path, kit, (3, 2, 4))
    snapshots = Snapshots(root.parent, tmp_path / "killed")
    interrupt(snapshots)
    recorder.finalize()
    snapshots.busy = True
    assert len(snapshots.taken) > 10
    forms = set()
    for number, folder in enumerate(snapshots.taken):
        left = folder / "set"
        forms.add(len(list((left / "data").glob("*/*"))))
        kit.check_dataset(left, [0, 1, 2], [3, 2, 4])
        if number % every:
            continue
        with DatasetRecorder.resume(left) as again:
            kit.record(again, 5, 2)
        kit.check_dataset(left, [0, 1, 2, 5], [3, 2, 4, 2])
        assert sorted(path.name for path in folder.iterdir()) == ["set"]
    assert forms == {1, 3}


def count_calls(tmp_path, kit, interrupt, action):
    root, recorder = start(tmp_path, kit)
    total = interrupt(lambda number: None)
    for number in range(4):
        recorder.add_frame(kit.frame(2, number))
    before = total()
    action(recorder)
    calls = total() - before
    recorder.close()
    shutil.rmtree(root.parent)
    return calls


class FullDisk:
    """The n-th call fails, and so do all that follow but those which only rename back."""

    def __init__(self, failing: int) -> None:
        self.failing = failing

    def __call__(self, number: int) -> None:
        if number == self.failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_at_any_step_of_a_save_is_one_error_and_the_save_can_be_repeated(
    tmp_path, kit, interrupt, monkeypatch, every
):
    calls = count_calls(tmp_path, kit, interrupt, lambda recorder: recorder.save_episode())
    monkeypatch.undo()
    for failing in range(1, calls + 1, every):
        root, recorder = start(tmp_path, kit)
        for number in range(4):
            recorder.add_frame(kit.frame(2, number))
        interrupt(FullDisk(failing))
        with pytest.raises(DatasetError, match="No space left"):
            recorder.save_episode()
        monkeypatch.undo()
        saved = len(kit.read_dataset(root))
        kit.check_dataset(root, [0, 1, 2][:saved], [3, 2, 4][:saved])
        if saved == 2:
            assert recorder.save_episode().index == 2
        else:
            recorder.clear_episode_buffer()
        kit.record(recorder, 3, 2)
        recorder.finalize()
        kit.check_dataset(root, [0, 1, 2, 3], [3, 2, 4, 2])
        shutil.rmtree(root.parent)


def test_a_full_disk_at_any_step_of_finalize_leaves_every_episode(tmp_path, kit, interrupt, monkeypatch, every):
    calls = count_calls(tmp_path, kit, interrupt, lambda recorder: recorder.finalize())
    monkeypatch.undo()
    for failing in range(1, calls + 1, every):
        root, recorder = start(tmp_path, kit)
        interrupt(FullDisk(failing))
        with contextlib.suppress(DatasetError):
            recorder.finalize()
        monkeypatch.undo()
        kit.check_dataset(root, [0, 1], [3, 2])
        DatasetRecorder.resume(root).finalize()
        kit.check_dataset(root, [0, 1], [3, 2])
        assert len(list((root / "data").glob("*/*"))) == 1
        shutil.rmtree(root.parent)


def test_a_file_system_that_cannot_swap_keeps_the_small_files(tmp_path, kit, monkeypatch, caplog):
    root, recorder = start(tmp_path, kit)

    def refuse(one, other):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(compaction, "exchange", refuse)
    recorder.finalize()
    assert "cannot swap folders" in caplog.text
    kit.check_dataset(root, [0, 1], [3, 2])
    assert sorted(path.name for path in root.parent.iterdir()) == ["set"]
    assert not (root / ".recording").exists()


def test_ctrl_c_while_waiting_for_an_encoder_breaks_the_episode_not_the_dataset(tmp_path, kit, monkeypatch):
    from lerobot.datasets.writer.background import ImageQueue

    root, recorder = start(tmp_path, kit)
    healthy = ImageQueue.add

    def add(self, image):
        if "right" in self.name:
            raise KeyboardInterrupt
        healthy(self, image)

    monkeypatch.setattr(ImageQueue, "add", add)
    with pytest.raises(KeyboardInterrupt):
        recorder.add_frame(kit.frame(2, 0))
    monkeypatch.undo()
    with pytest.raises(DatasetError, match="broke"):
        recorder.add_frame(kit.frame(2, 1))
    recorder.finalize()
    kit.check_dataset(root, [0, 1], [3, 2])


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(DatasetError, match="cannot be written: Permission denied"):
        DatasetRecorder.create(tmp_path / "set", 30, {"x": {"dtype": "float32", "shape": (1,), "names": None}})
