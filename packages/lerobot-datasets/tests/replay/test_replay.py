"""The command with the fake arm."""

import signal

import numpy as np
import pytest

from lerobot.core.errors import DatasetError, DeviceError, FeatureMismatchError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.joints import RANGES
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.processors.config import RenameActionsConfig, RenameObservationsConfig
from lerobot.core.safety import SafetyConfig, stop_latch
from lerobot.datasets.commands.replay import DatasetReplayConfig, ReplayConfig
from lerobot.datasets.replay.command import replay
from lerobot.datasets.replay.episode import load_episode
from lerobot.datasets.replay.playback import Playback
from lerobot.datasets.writer.recorder import DatasetRecorder

KEYS = [f"{joint}.pos" for joint in RANGES]
LENGTH = 12
BUILT = []


class KeptRobotConfig(FakeRobotConfig):
    def build(self, **dependencies):
        BUILT.append(super().build(**dependencies))
        return BUILT[-1]


def poses(episode: int) -> np.ndarray:
    """A slow motion that starts away from where the arm stands."""
    steps = np.arange(LENGTH)[:, None] * np.linspace(0.2, 1.0, len(KEYS))
    return (20 + 5 * episode + steps).astype(np.float32)


@pytest.fixture
def root(tmp_path, lerobot_home):
    BUILT.clear()
    return write(tmp_path / "set", KEYS)


def write(folder, names):
    vector = {"dtype": "float32", "shape": (len(names),), "names": names}
    features = {"action": vector, "observation.state": vector}
    with DatasetRecorder.create(folder, 30, features, robot_type="fake") as recorder:
        for episode in (0, 1):
            for pose in poses(episode)[:, : len(names)]:
                recorder.add_frame({"action": pose, "observation.state": pose}, "Wave")
            recorder.save_episode()
    return folder


def config(root, episode=1, *, robot=None, **others):
    return ReplayConfig(
        robot=KeptRobotConfig(**(robot or {})),
        dataset=DatasetReplayConfig(repo_id="me/set", root=root, episode=episode),
        play_sounds=False,
        **({"safety": SafetyConfig(ramp_s=0.2)} | others),
    )


def commands(robot):
    return np.array([[entry.values[key] for key in KEYS] for entry in robot.log if entry.event == "command"])


def test_the_recorded_actions_are_sent_after_a_soft_approach(root, capsys):
    assert replay(config(root)) == 0
    sent = commands(BUILT[0])
    wanted = poses(1)
    begin = len(sent) - LENGTH
    tail = {tuple(np.float32(row)) for row in sent[begin:]}
    assert tail <= {tuple(row) for row in wanted}
    assert np.allclose(sent[-1], wanted[-1])
    approach = sent[:begin]
    assert np.allclose(approach[-1], wanted[0])
    # However late a tick is, the gate allows no more than 180 units per second during a tenth of a second.
    assert np.abs(np.diff(approach, axis=0)).max() < 18.001
    assert BUILT[0].log[-1].event == "torque off"
    said = capsys.readouterr().out
    assert "Replaying episode 1: 12 frames" in said
    assert "the recording took 0.367 s" in said
    assert said.count("rms") == len(KEYS)


def test_the_gate_also_limits_a_replay(root, capsys):
    limits = SafetyConfig(ramp_s=0.2, position_limits={"shoulder_pan": (-10, 22)})
    replay(config(root, safety=limits))
    assert commands(BUILT[0])[:, 0].max() <= 22
    assert "Changed by the safety gate: shoulder_pan.pos" in capsys.readouterr().out


def test_hooks_see_the_episode_begin_at_the_first_pose(root, monkeypatch):
    from lerobot.core.hooks import Hooks, hookimpl

    seen = []

    class Watcher:
        @hookimpl
        def episode_start(self, episode):
            seen.append((episode.index, commands(BUILT[0])[-1]))

        @hookimpl
        def episode_end(self, episode):
            seen.append((episode.index, commands(BUILT[0])[-1]))

    hooks = Hooks()
    hooks.register(Watcher(), "watcher")
    monkeypatch.setattr("lerobot.datasets.replay.command.load_hooks", lambda: hooks)
    replay(config(root, episode=0))
    assert [index for index, _ in seen] == [0, 0]
    assert np.allclose(seen[0][1], poses(0)[0])
    assert np.allclose(seen[1][1], poses(0)[-1])


def test_what_cannot_be_replayed_is_refused_before_anything_moves(root, tmp_path):
    with pytest.raises(DatasetError, match="has no episode 2") as refused:
        replay(config(root, episode=2))
    assert "0 to 1" in str(refused.value)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("not a dataset")
    with pytest.raises(DatasetError, match="no dataset at"):
        replay(config(tmp_path / "mine"))
    with pytest.raises(FeatureMismatchError, match=r"does not command gripper\.pos"):
        replay(config(write(tmp_path / "other", KEYS[:-1])))
    assert not any(robot.log for robot in BUILT)


def test_processors_make_the_robots_actions_of_the_datasets(tmp_path, lerobot_home):
    BUILT.clear()
    other = write(tmp_path / "other", [key.upper() for key in KEYS])
    step = RenameActionsConfig(type="rename_actions_processor", rename_map={key.upper(): key for key in KEYS})
    assert replay(config(other, processors=[step])) == 0
    assert np.allclose(commands(BUILT[0])[-1], poses(1)[-1])


def test_how_well_it_follows_is_told_in_what_the_dataset_stores(tmp_path, lerobot_home, capsys):
    other = write(tmp_path / "other", [key.upper() for key in KEYS])
    back = RenameActionsConfig(rename_map={key.upper(): key for key in KEYS})
    replay(config(other, processors=[back]))
    assert "Tracking error" not in capsys.readouterr().out, "there is nothing to compare with"
    there = RenameObservationsConfig(rename_map={key: key.upper() for key in KEYS})
    replay(config(other, processors=[back], observation_processors=[there]))
    told = capsys.readouterr().out
    assert "against the recorded state" in told
    assert "SHOULDER_PAN.POS" in told


def test_a_failing_robot_ends_in_its_safe_state(root):
    with pytest.raises(DeviceError, match="failed, as configured"):
        replay(config(root, robot={"sends_fail_after": 5}))
    assert BUILT[0].log[-1].event == "torque off"


def test_capture_times_are_the_clock_where_there_are_any(tmp_path, lerobot_home):
    from lerobot.datasets.replay.episode import load_episode

    vector = {"dtype": "float32", "shape": (1,), "names": ["a.pos"]}
    seconds = {"dtype": "float64", "shape": (1,), "names": ["seconds"]}
    folder = tmp_path / "set"
    with DatasetRecorder.create(folder, 30, {"action": vector, "capture_time.action": seconds}) as recorder:
        for time_s in (0.01, 0.05, 0.15):
            recorder.add_frame({"action": np.zeros(1, np.float32), "capture_time.action": time_s}, "Wave")
        recorder.save_episode()
    loaded = load_episode("me/set", folder, 0)
    assert np.allclose(loaded.times_s, [0, 0.04, 0.14])
    assert loaded.state_names == []
    assert len(loaded) == 3
    assert loaded.duration_s == pytest.approx(0.14)


@pytest.mark.parametrize(("number", "row"), [(signal.SIGINT, 0), (signal.SIGINT, 5), (signal.SIGTERM, 5)])
def test_a_signal_ends_the_replay_in_the_safe_state(root, monkeypatch, capsys, number, row):
    write = Playback.write

    def write_then_signal(self, tick):
        write(self, tick)
        # Row 0 is the approach; a busy machine leaves rows out.
        if self.result.rows >= row and not raised:
            raised.append(self.result.rows)
            signal.raise_signal(number)

    raised = []
    monkeypatch.setattr(Playback, "write", write_then_signal)
    assert replay(config(root)) == 128 + number
    assert len(raised) == 1
    assert BUILT[0].log[-1].event == "torque off"
    said = capsys.readouterr().out
    assert (f"Replayed {raised[0]} of 12 frames" if row else "Nothing was replayed") in said


def test_a_name_without_its_stamp_finds_the_newest_recording(lerobot_home):
    for stamp in ("20260101_101500", "20260203_091500", "noon"):
        write(lerobot_home / f"me/cubes_{stamp}", KEYS)
    (lerobot_home / "me/cubes_20270101_000000").mkdir()
    for name in ("me/cubes", "cubes_of_nobody"):
        with pytest.raises(DatasetError) as caught:
            load_episode(name, None, 0)
        meant = "did you mean me/cubes_20260203_091500?" if name == "me/cubes" else "nothing"
        assert (meant in str(caught.value)) == (name == "me/cubes")


def test_an_empty_dataset_is_said_to_be_empty(tmp_path):
    vector = {"dtype": "float32", "shape": (1,), "names": ["a.pos"]}
    DatasetRecorder.create(tmp_path / "empty", 30, {"action": vector}, robot_type="fake").close()
    with pytest.raises(DatasetError, match="no number: there is none"):
        load_episode("me/empty", tmp_path / "empty", 0)


@pytest.mark.parametrize("number", [3, 30], ids=["on the way to the first pose", "in the recording"])
def test_while_a_stop_is_latched_the_recording_waits(root, monkeypatch, number):
    original, count = FakeRobot.send_action, 0

    def send(robot, action):
        nonlocal count
        count += 1
        if count == number:
            stop_latch().set("smoke", "the test")
        if count == number + 20:
            stop_latch().release("the test")
        return original(robot, action)

    monkeypatch.setattr(FakeRobot, "send_action", send)
    assert replay(config(root)) == 0
    sent = commands(BUILT[0])
    assert len(np.unique(sent[number - 1 : number + 19], axis=0)) == 1
    assert np.allclose(sent[-1], poses(1)[-1], atol=0.1)
    assert len(sent) > 20 + 6 + 15 + LENGTH - 3, "none of the recording's time went by"
