"""Labels known only at an episode's end, and taking back the episode that was saved last."""

import json

import pytest

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.writer import recorder as recorder_module
from lerobot.datasets.writer.recorder import DatasetRecorder


def everything(root):
    """All bytes that a reader may look at."""
    info = json.loads((root / "meta/info.json").read_text())
    return info, json.loads((root / "meta/stats.json").read_text())


def test_an_episode_taken_back_leaves_the_dataset_as_before(tmp_path, kit):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    for label in (0, 1):
        kit.record(recorder, label, 4)
    before, files = everything(recorder.root), sorted(path for path in recorder.root.rglob("*.*") if path.is_file())
    kit.record(recorder, 2, 5)
    assert everything(recorder.root) != before
    recorder.take_back_episode()
    assert everything(recorder.root) == before
    # The task table may keep a text that no frame uses.
    assert sorted(path for path in recorder.root.rglob("*.*") if path.is_file()) == files
    kit.check_dataset(recorder.root, [0, 1], [4, 4])
    kit.record(recorder, 4, 3)
    kit.check_dataset(recorder.root, [0, 1, 4], [4, 4, 3])
    recorder.finalize()
    kit.check_dataset(recorder.root, [0, 1, 4], [4, 4, 3])


def test_the_first_episode_can_be_taken_back(tmp_path, kit):
    with DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES) as recorder:
        kit.record(recorder, 3, 4)
        recorder.take_back_episode()
        kit.check_dataset(recorder.root, [], [])
        kit.record(recorder, 1, 2)
    kit.check_dataset(tmp_path / "set", [1], [2])


def test_an_episode_taken_back_right_after_resuming_leaves_the_statistics(tmp_path, kit):
    root = tmp_path / "set"
    with DatasetRecorder.create(root, 30, kit.FEATURES) as recorder:
        kit.record(recorder, 0, 4)
    before = everything(root)
    with DatasetRecorder.resume(root) as recorder:
        kit.record(recorder, 1, 3)
        recorder.take_back_episode()
        assert everything(root) == before
    assert everything(root) == before


def test_only_the_last_episode_and_only_right_after_it_was_saved(tmp_path, kit):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    with pytest.raises(DatasetError, match="no episode to take back"):
        recorder.take_back_episode()
    kit.record(recorder, 0, 2)
    recorder.add_frame(kit.frame(1, 0))
    with pytest.raises(DatasetError, match="no episode to take back"):
        recorder.take_back_episode()
    recorder.save_episode()
    recorder.take_back_episode()
    with pytest.raises(DatasetError, match="no episode to take back"):
        recorder.take_back_episode()
    kit.check_dataset(recorder.root, [0], [2])
    recorder.close()


@pytest.mark.parametrize("step", ["replace_text", "remove_leftovers"])
def test_a_kill_while_taking_back_leaves_one_or_the_other(tmp_path, kit, monkeypatch, step):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    kit.record(recorder, 0, 2)
    kit.record(recorder, 1, 3)

    class KilledError(BaseException):
        pass

    def killed(*_):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(recorder_module, step, killed)
        with pytest.raises(KilledError):
            recorder.take_back_episode()
    recorder.close()
    left = [0, 1] if step == "replace_text" else [0]
    kit.check_dataset(recorder.root, left, [2, 3][: len(left)])
    with DatasetRecorder.resume(recorder.root) as again:
        kit.record(again, 7, 4)
    kit.check_dataset(recorder.root, [*left, 7], [*[2, 3][: len(left)], 4])


def test_a_label_is_in_every_row_of_its_episode(tmp_path, kit):
    features = {**kit.FEATURES, "outcome": {"dtype": "string", "shape": (1,), "names": None}}
    features["score"] = {"dtype": "float32", "shape": (1,), "names": None}
    recorder = DatasetRecorder.create(tmp_path / "set", 30, features)
    for label, outcome in enumerate(["success", "failure"]):
        for number in range(3):
            recorder.add_frame(kit.frame(label, number) | {"outcome": "unknown", "score": 0.0})
        recorder.label_episode({"outcome": outcome, "score": label + 0.5})
        recorder.save_episode()
    recorder.finalize()
    rows = [row for episode in kit.read_dataset(recorder.root) for row in episode.rows]
    assert [row["outcome"] for row in rows] == ["success"] * 3 + ["failure"] * 3
    assert [row["score"] for row in rows] == [0.5] * 3 + [1.5] * 3


def test_labels_that_do_not_fit_are_refused(tmp_path, kit):
    recorder = DatasetRecorder.create(tmp_path / "set", 30, kit.FEATURES)
    kit.record(recorder, 0, 1)
    with pytest.raises(DatasetError, match="no episode to label"):
        recorder.label_episode({"action": 1})
    recorder.add_frame(kit.frame(1, 0))
    for values in ({"observation.images.left": 0}, {"other": 0}, {"action": "up"}):
        with pytest.raises(FeatureMismatchError):
            recorder.label_episode(values)
    recorder.save_episode()
    kit.check_dataset(recorder.root, [0, 1], [1, 1])
    recorder.close()
