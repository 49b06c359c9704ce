"""The command with the fake arm: what is stored, what is recorded again, what is refused."""

import datetime
import itertools

import numpy as np
import pytest

from lerobot.core.errors import ConfigError, DatasetError, DeviceError, FeatureMismatchError
from lerobot.core.fake.joints import RANGES
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.processors.config import ConvertUnitsConfig, RenameObservationsConfig
from lerobot.core.safety import SafetyConfig
from lerobot.datasets.record import target
from lerobot.datasets.record.command import record
from lerobot.datasets.writer.recorder import DatasetRecorder

KEYS = [f"{joint}.pos" for joint in RANGES]


def test_episodes_are_stored_with_every_column(tmp_path, kit, capsys):
    root = tmp_path / "set"
    columns = ("requested_action", "outcome", "capture_times")
    assert record(kit.config(root, cameras=2, dataset={"extra_columns": columns})) == 0
    stored = kit.info(root)
    assert stored["robot_type"] == "fake"
    assert stored["features"]["action"]["names"] == stored["features"]["observation.state"]["names"] == KEYS
    assert stored["features"]["observation.images.view1"]["shape"] == [32, 48, 3]
    assert stored["total_episodes"] == 2
    rows = kit.rows(root)
    assert all(row["outcome"] == "unknown" for row in rows)
    for row in rows:
        for key in ("observation.state", "observation.images.view0", "observation.images.view1", "action"):
            assert np.isfinite(row[f"capture_time.{key}"])
    for episode in (0, 1):
        times = [row["capture_time.action"] for row in rows if row["episode_index"] == episode]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1]
    said = capsys.readouterr().out
    assert "Episode 1 saved" in said
    assert "Hz of 30" in said
    assert kit.built[0].log[-1].event == "torque off"


def test_what_is_particular_to_the_scene_is_stored_by_name(tmp_path, kit, monkeypatch):
    monkeypatch.setattr(FakeRobot, "scene_values", {"light": 0.5, "mass": 1.25}, raising=False)
    root = tmp_path / "set"
    record(kit.config(root, cameras=0))
    feature = kit.info(root)["features"]["scene_values"]
    assert (feature["dtype"], feature["shape"], feature["names"]) == ("float32", [2], ["light", "mass"])
    assert {tuple(row["scene_values"]) for row in kit.rows(root)} == {(0.5, 1.25)}


def test_what_was_sent_is_stored_as_action_and_what_was_wanted_beside_it(tmp_path, kit):
    root = tmp_path / "set"
    far = [dict.fromkeys(KEYS, 50.0)]
    slow = SafetyConfig(ramp_s=0.1, max_velocity={"gripper": 10.0}, position_limits={"wrist_roll": (-30, 30)})
    record(kit.config(root, teleop={"sequence": far}, safety=slow, cameras=0))
    rows = kit.rows(root)
    actions = np.array([row["action"] for row in rows])
    assert np.allclose([row["requested_action"] for row in rows], 50.0)
    assert actions[:, KEYS.index("wrist_roll.pos")].max() <= 30.0
    sent = [tuple(entry.values[key] for key in KEYS) for entry in kit.built[0].log if entry.event == "command"]
    assert {tuple(np.float32(sent_row)) for sent_row in sent} >= {tuple(np.float32(row)) for row in actions}


def test_the_ramp_is_over_before_the_first_row(tmp_path, kit):
    root = tmp_path / "set"
    pose = [dict.fromkeys(KEYS, 5.0)]
    record(kit.config(root, teleop={"sequence": pose}, cameras=0, safety=SafetyConfig(ramp_s=0.4)))
    rows = kit.rows(root)
    # During the ramp the command lies between the first pose and the wanted one.
    assert np.allclose([row["action"] for row in rows], 5.0)


@pytest.mark.parametrize("button", ["success", "failure"])
def test_a_button_ends_the_episode_with_its_outcome(tmp_path, kit, button):
    root = tmp_path / "set"
    events = {index: [button] for index in range(1000)}
    record(kit.config(root, teleop={"events": events}, cameras=0, dataset={"episode_time_s": 60}))
    assert kit.lengths(root) == [1, 1]
    assert [row["outcome"] for row in kit.rows(root)] == [button, button]


class Script:
    """Requests at chosen moments: the n-th poll after the text appeared on the terminal."""

    def __init__(self, monkeypatch, capsys, *steps):
        self.steps, self.said, self.capsys = list(steps), "", capsys
        monkeypatch.setattr("lerobot.datasets.record.command.open_keyboard", lambda: self)
        self.wait = 0

    def help(self):
        return "Keys: those of the script."

    def poll(self):
        self.said += self.capsys.readouterr().out
        if not self.steps:
            return []
        text, wait, request = self.steps[0]
        if self.said.count(text[0]) < text[1]:
            return []
        self.wait += 1
        if self.wait <= wait:
            return []
        self.wait = 0
        self.steps.pop(0)
        return [target_request(request)]

    def close(self):
        self.said += self.capsys.readouterr().out


def target_request(word):
    from lerobot.datasets.record.requests import Request

    return Request(word)


def test_an_episode_is_dropped_and_recorded_again(tmp_path, kit, monkeypatch, capsys):
    root = tmp_path / "set"
    script = Script(
        monkeypatch,
        capsys,
        (("Recording episode 0", 1), 3, "redo"),
        (("Recording episode 0", 2), 4, "success"),
        (("Recording episode 1", 1), 7, "failure"),
    )
    # A camera's first image is waited for: a tick without a row, where the computer is busy.
    record(kit.config(root, cameras=0, dataset={"episode_time_s": 60}))
    assert script.steps == []
    assert kit.lengths(root) == [5, 8]
    assert [kit.rows(root)[i]["outcome"] for i in (0, 4, 5, 12)] == ["success", "success", "failure", "failure"]
    assert "Re-record episode" in script.said


def test_redo_during_the_reset_takes_the_saved_episode_back_but_only_that_one(tmp_path, kit, monkeypatch, capsys):
    root = tmp_path / "set"
    script = Script(
        monkeypatch,
        capsys,
        (("Recording episode 0", 1), 2, "success"),
        (("Recording episode 1", 1), 4, "failure"),
        (("Episode 1 saved", 1), 1, "redo"),
        (("Re-record episode", 1), 1, "redo"),
        (("Recording episode 1", 2), 6, "success"),
        (("Recording episode 2", 1), 1, "success"),
    )
    dataset = {"episode_time_s": 60, "reset_time_s": 0.8, "num_episodes": 3}
    record(kit.config(root, cameras=1, dataset=dataset))
    assert script.steps == []
    # Where the computer is busy, a tick before the first image has no row.
    assert all(0 < length <= ticks for length, ticks in zip(kit.lengths(root), [3, 7, 2], strict=True))
    assert {row["outcome"] for row in kit.rows(root)} == {"success"}
    assert "There is no episode to record again." in script.said


def test_stop_saves_the_running_episode_and_next_shortens_the_reset(tmp_path, kit, monkeypatch, capsys):
    root = tmp_path / "set"
    script = Script(
        monkeypatch,
        capsys,
        (("Recording episode 0", 1), 2, "next"),
        (("Episode 0 saved", 1), 1, "next"),
        (("Recording episode 1", 1), 5, "stop"),
    )
    dataset = {"episode_time_s": 60, "reset_time_s": 600, "num_episodes": 9}
    assert record(kit.config(root, cameras=0, dataset=dataset)) == 0
    assert script.steps == []
    assert kit.lengths(root) == [3, 6]


def test_stop_before_anything_was_recorded_leaves_nothing_behind(tmp_path, kit, monkeypatch, capsys):
    Script(monkeypatch, capsys, (("", 0), 1, "stop"))
    assert record(kit.config(tmp_path / "set")) == 0
    assert not (tmp_path / "set").exists()


def test_the_control_file_ends_episodes(tmp_path, kit, monkeypatch):
    root, control = tmp_path / "set", tmp_path / "control"
    add = DatasetRecorder.add_frame

    def add_then_write(self, frame, task=None):
        add(self, frame, task)
        if self.episode_length == 3:
            control.write_text("success\n")

    monkeypatch.setattr(DatasetRecorder, "add_frame", add_then_write)
    record(kit.config(root, cameras=0, control_file=control, dataset={"episode_time_s": 60}))
    assert kit.lengths(root) == [4, 4]
    assert not control.exists()


def test_resume_adds_to_what_is_there_and_keeps_its_columns(tmp_path, kit):
    root = tmp_path / "set"
    record(kit.config(root, dataset={"extra_columns": ()}))
    assert not {"outcome", "requested_action"} & kit.info(root)["features"].keys()
    before = kit.rows(root)
    record(kit.config(root, resume=True, dataset={"num_episodes": 1, "single_task": "Bow"}))
    assert len(kit.lengths(root)) == 3
    assert kit.rows(root)[: len(before)] == before
    assert kit.rows(root)[-1]["task_index"] == 1


def test_a_second_run_over_a_dataset_is_refused_before_anything_moves(tmp_path, kit):
    root = tmp_path / "set"
    record(kit.config(root, dataset={"num_episodes": 1}))
    before = kit.rows(root)
    with pytest.raises(DatasetError, match="already exists"):
        record(kit.config(root))
    assert not kit.built[-1].log
    assert kit.rows(root) == before


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"dataset": {"fps": 20}}, ConfigError, r"--dataset.fps: got '20', expected 30"),
        ({"cameras": 2}, FeatureMismatchError, "observation.images.view1"),
        ({"dataset": {"root": "elsewhere"}}, DatasetError, "no dataset to resume"),
    ],
)
def test_what_does_not_fit_cannot_be_resumed(tmp_path, kit, monkeypatch, change, error, text):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "set"
    record(kit.config(root, dataset={"num_episodes": 1}))
    before = kit.rows(root)
    with pytest.raises(error, match=text):
        record(kit.config(root, resume=True, **change))
    assert kit.rows(root) == before
    assert not kit.built[-1].log


def test_the_name_of_a_new_recording_is_stamped(lerobot_home, kit):
    assert target.stamped("me/set", datetime.datetime(2026, 3, 4, 5, 6, 7)) == "me/set_20260304_050607"
    record(kit.config(None, cameras=0, dataset={"num_episodes": 1, "no_stamp": False}))
    (folder,) = (lerobot_home / "me").iterdir()
    assert datetime.datetime.strptime(folder.name, "test_%Y%m%d_%H%M%S")
    record(kit.config(None, resume=True, cameras=0, dataset={"num_episodes": 1, "repo_id": f"me/{folder.name}"}))
    assert len(kit.lengths(folder)) == 2
    with pytest.raises(DatasetError, match=folder.name):
        record(kit.config(None, resume=True, cameras=0))


@pytest.mark.parametrize("name", ["eval_x", "me/eval_x", "a/b/c", "", "me/", "../x"])
def test_names_that_are_refused(tmp_path, kit, name):
    with pytest.raises(ValueError, match="repo_id"):
        kit.config(tmp_path / "set", dataset={"repo_id": name})


def test_images_can_be_stored_one_by_one(tmp_path, kit):
    root = tmp_path / "set"
    record(kit.config(root, dataset={"video": False, "num_episodes": 1}))
    assert kit.info(root)["features"]["observation.images.view0"]["dtype"] == "image"
    record(kit.config(root, resume=True, dataset={"num_episodes": 1}))
    assert len(kit.lengths(root)) == 2


def test_a_robot_that_fails_costs_only_the_episode_in_progress(tmp_path, kit):
    root = tmp_path / "set"
    with pytest.raises(DeviceError, match="failed, as configured"):
        record(kit.config(root, robot={"fails_after": 23}, dataset={"num_episodes": 9}))
    assert kit.info(root)["total_episodes"] >= 1
    assert all(1 <= length <= 6 for length in kit.lengths(root))
    assert kit.built[0].log[-1].event == "torque off"
    record(kit.config(root, resume=True, dataset={"num_episodes": 1}))


def test_a_robot_that_does_not_connect_leaves_no_dataset(tmp_path, kit):
    with pytest.raises(DeviceError):
        record(kit.config(tmp_path / "set", robot={"connect_fails": True}))
    assert not (tmp_path / "set").exists()


def test_processors_change_what_is_stored(tmp_path, kit):
    root = tmp_path / "set"
    step = RenameObservationsConfig(type="rename_observations_processor", rename_map={"view0": "front"})
    record(kit.config(root, processors={"observation": [step]}, dataset={"num_episodes": 1}))
    assert "observation.images.front" in kit.info(root)["features"]
    assert "observation.images.view0" not in kit.info(root)["features"]


def test_units_are_converted_for_the_dataset_only(tmp_path, kit):
    conversions = {"shoulder_pan.pos": {"source": "deg", "target": "rad"}}
    step = ConvertUnitsConfig(type="convert_units_processor", entry="action", conversions=conversions)
    root = tmp_path / "set"
    pose = [dict.fromkeys(KEYS, 18.0)]
    config = kit.config(
        root, teleop={"sequence": pose}, cameras=0, dataset={"num_episodes": 1}, processors={"action": [step]}
    )
    record(config)
    for column in ("action", "requested_action"):
        assert np.allclose([row[column][:2] for row in kit.rows(root)], [np.pi / 10, 18.0])
    assert kit.built[0].log[-2].values["shoulder_pan.pos"] == 18.0


def test_hooks_see_episodes(tmp_path, kit, monkeypatch):
    from lerobot.core.hooks import Hooks, hookimpl

    seen = []

    class Watcher:
        @hookimpl
        def episode_start(self, episode):
            seen.append(("start", episode.index, episode.task))

        @hookimpl
        def episode_end(self, episode):
            seen.append(("end", episode.index, episode.metadata["outcome"], episode.metadata["frames"]))

    hooks = Hooks()
    hooks.register(Watcher(), "watcher")
    monkeypatch.setattr("lerobot.datasets.record.command.load_hooks", lambda: hooks)
    record(kit.config(tmp_path / "set", cameras=0))
    assert [entry[:2] for entry in seen] == [("start", 0), ("end", 0), ("start", 1), ("end", 1)]
    assert seen[0][2] == "Wave"
    assert seen[1][2] == "unknown"


@pytest.mark.parametrize("wanted", [False, True])
def test_the_dataset_is_uploaded_only_when_asked_for_and_after_the_arm_is_at_rest(tmp_path, kit, monkeypatch, wanted):
    from lerobot.datasets.hub import push

    calls = []

    def note(root, repo_id, **settings):
        calls.append((root, repo_id, settings, kit.built[0].log[-1].event, len(list(root.glob("data/*/*.parquet")))))
        return "https://hub/commit"

    monkeypatch.setattr(push, "push", note)
    root = tmp_path / "set"
    dataset = {"tags": ("cubes",), "private": True} | ({"push_to_hub": True} if wanted else {})
    record(kit.config(root, cameras=0, dataset=dataset))
    settings = {"private": True, "tags": ("cubes",)}
    assert calls == ([(root, "me/test", settings, "torque off", 1)] if wanted else [])


def test_the_display_sees_every_tick_and_the_teleoperator_stays_active_between_episodes(tmp_path, kit, monkeypatch):
    class Display:
        ticks, closed = [], False

        def write(self, tick):
            self.ticks.append(tick)

        def close(self):
            self.closed = True

    display = Display()
    monkeypatch.setattr("lerobot.datasets.record.command.open_display", lambda *_: display)
    record(kit.config(tmp_path / "set", cameras=0, dataset={"reset_time_s": 0.4}))
    assert display.closed
    recorded = sum(kit.lengths(tmp_path / "set"))
    assert len(display.ticks) > recorded + 0.4 * 30 / 2
    assert all(set(tick.requested) == set(KEYS) for tick in display.ticks)
    wanted = [tick.requested["shoulder_pan.pos"] for tick in display.ticks]
    # A sine never stands still for two ticks: each command was read anew.
    assert all(one != other for one, other in itertools.pairwise(wanted))


def test_a_viewer_that_does_not_exist_is_refused_before_a_dataset_is_made(tmp_path, kit):
    with pytest.raises(ConfigError, match="--display_mode"):
        record(kit.config(tmp_path / "set", display_data=True, display_mode="foxglove"))
    assert not (tmp_path / "set").exists()
