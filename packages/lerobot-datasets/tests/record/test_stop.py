"""A latched stop while recording: nothing moves in any phase, and the recording goes on after the release."""

from itertools import groupby

import pytest

from lerobot.core.errors import SafetyError
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig, stop_latch
from lerobot.datasets.record.command import record
from lerobot.datasets.writer.recorder import DatasetRecorder

HELD = 20


def commands(robot):
    return [entry.values for entry in robot.log if entry.event == "command"]


def hold_for_some_commands(monkeypatch, begins):
    """Stop everything when `begins` says so, given the number of the command; the number of the first held one."""
    original, state = FakeRobot.send_action, {"count": 0, "from": None}

    def send(robot, action):
        if state["from"] is None and begins(state["count"]):
            stop_latch().set("smoke", "the test")
            # The one that is on its way now was let through before.
            state["from"] = state["count"]
        if state["from"] is not None and state["count"] == state["from"] + HELD:
            stop_latch().release("the test")
        state["count"] += 1
        return original(robot, action)

    monkeypatch.setattr(FakeRobot, "send_action", send)
    return state


def check_held(robot, state):
    held = commands(robot)[state["from"] : state["from"] + HELD + 1]
    assert len(held) == HELD + 1
    assert all(command == held[0] for command in held)
    assert commands(robot)[-1] != held[0], "it moves afterwards"


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(0, id="engaging"),
        pytest.param(2, id="in the ramp", marks=pytest.mark.slow),
        pytest.param(10, id="in the episode"),
    ],
)
def test_nothing_moves_until_the_release(tmp_path, kit, monkeypatch, number):
    state = hold_for_some_commands(monkeypatch, lambda count: count == number)
    root = tmp_path / "set"
    assert record(kit.config(root, cameras=0, dataset={"num_episodes": 1, "episode_time_s": 2})) == 0
    check_held(kit.built[0], state)
    assert kit.lengths(root)[0] > 0


@pytest.mark.parametrize("ramp_s", [0.0, 0.2])
def test_what_is_held_is_no_demonstration_and_takes_no_time(tmp_path, kit, monkeypatch, ramp_s):
    hold_for_some_commands(monkeypatch, lambda count: count == 15)
    config = kit.config(
        tmp_path / "set",
        cameras=0,
        safety=SafetyConfig(ramp_s=ramp_s),
        dataset={"num_episodes": 1, "episode_time_s": 1, "reset_time_s": 0},
    )
    assert record(config) == 0
    actions = [tuple(row["action"]) for row in kit.rows(tmp_path / "set")]
    assert len(actions) > config.dataset.fps - HELD, "more than the time that the stop would have left"
    assert max(len(list(same)) for _, same in groupby(actions)) <= 2, "the teleoperator never rests"


def test_nothing_moves_while_an_episode_is_saved(tmp_path, kit, monkeypatch):
    saves = []
    original = DatasetRecorder.save_episode

    def save(recorder):
        saves.append(True)
        return original(recorder)

    monkeypatch.setattr(DatasetRecorder, "save_episode", save)
    state = hold_for_some_commands(monkeypatch, lambda _: bool(saves))
    root = tmp_path / "set"
    assert record(kit.config(root, cameras=0, dataset={"reset_time_s": 0.3, "episode_time_s": 0.4})) == 0
    check_held(kit.built[0], state)
    assert len(kit.lengths(root)) == 2


def test_a_recording_does_not_begin_while_a_stop_is_latched(tmp_path, kit):
    stop_latch().set("smoke", "the test")
    with pytest.raises(SafetyError, match="nothing may move"):
        record(kit.config(tmp_path / "set", cameras=0))
    assert not kit.built[0].log
    assert not (tmp_path / "set").exists()
