"""Strategies on the fake robot: what is recorded of whom, and that storing it holds nothing and nobody."""

import json
import os
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError, DeviceConnectionError
from lerobot.core.fake.joints import RANGES
from lerobot.core.tick import Tick
from lerobot.core.types import Observation
from lerobot.datasets.writer.recorder import DatasetRecorder
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.pedal import Pedal
from lerobot.rollout.strategies.highlight import RingBuffer
from lerobot.rollout.strategies.sentry import episode_rows

KEYS = [f"{joint}.pos" for joint in RANGES]
CAMERAS = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 60}}"


def rows(root: Path) -> list[dict[str, Any]]:
    """Every committed row, read without the package's own readers."""
    return [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]


def episodes(root: Path) -> list[int]:
    """How long each episode is."""
    return np.bincount([row["episode_index"] for row in rows(root)]).tolist()


@pytest.fixture
def record(run: Callable[..., int], tmp_path: Path) -> Callable[..., Path]:
    """Runs a strategy for a second at most; gives the dataset's folder."""

    def record_with(strategy: str, *arguments: str) -> Path:
        root = tmp_path / "set"
        usual = {
            "dataset.repo_id": "me/rollout_test",
            "dataset.root": str(root),
            "dataset.fps": "50",
            "dataset.no_stamp": "true",
            "dataset.single_task": "Reach ten",
            "duration": "0.8",
            "safety.ramp_s": "0",
            "play_sounds": "false",
            "return_to_initial_position": "false",
        }
        given = {argument.removeprefix("--").partition("=")[0] for argument in arguments}
        flags = [f"--{key}={value}" for key, value in usual.items() if key not in given]
        assert run(CAMERAS, f"--strategy.type={strategy}", *flags, *arguments) == 0
        return root

    return record_with


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[int, str]], None]:
    """Lets a person ask for something at a number of a tick."""

    def plan(planned: Mapping[int, str]) -> None:
        class Person:
            def __init__(self, *_: Any, **__: Any) -> None:
                self.stop = threading.Event()
                self.polls = -1

            def poll(self) -> list[str]:
                self.polls += 1
                return [planned[self.polls]] if self.polls in planned else []

            def close(self) -> None:
                """Leaves."""

        monkeypatch.setattr("lerobot.rollout.recording.session.Controls", Person)

    return plan


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch, robots: Any) -> list[str]:
    """What the robot did last before each upload."""
    found: list[str] = []

    def push(*_: Any, **__: Any) -> str:
        assert not robots[0].is_connected
        found.append(robots[0].log[-1].event)
        return "there"

    monkeypatch.setattr("lerobot.datasets.hub.push.push", push)
    return found


# --- sentry ----------------------------------------------------------------------------------------------------------


def test_everything_is_recorded_and_cut(
    record: Any, robots: Any, monkeypatch: pytest.MonkeyPatch, pushed: list[str]
) -> None:
    monkeypatch.setattr("lerobot.rollout.strategies.sentry.episode_rows", lambda *_: 12)
    root = record("sentry", "--dataset.push_to_hub=true")
    lengths = episodes(root)
    sent = [entry for entry in robots[0].log if entry.event == "command"]
    assert lengths[:-1] == [12] * (len(lengths) - 1)
    assert sum(lengths) == len(sent), "the last one is saved too, and no tick is missing"
    assert "Reach ten" in json.dumps(pq.read_table(root / "meta" / "tasks.parquet").to_pylist())
    assert pushed == ["torque off"]


def test_an_episode_is_saved_while_the_robot_goes_on(record: Any, robots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first save waits for fifteen commands more, which never come if the loop waits for it."""
    monkeypatch.setattr("lerobot.rollout.strategies.sentry.episode_rows", lambda *_: 10)
    original, waited = DatasetRecorder.save_episode, []

    def save(recorder: DatasetRecorder) -> Any:
        pause = threading.Event()
        for _ in range(1000):
            if waited or len([entry for entry in robots[0].log if entry.event == "command"]) >= 25:
                waited.append(True)
                return original(recorder)
            pause.wait(0.01)
        raise AssertionError("the robot waits for the dataset")

    monkeypatch.setattr(DatasetRecorder, "save_episode", save)
    assert episodes(record("sentry"))[:2] == [10, 10]


def test_what_cannot_be_stored_ends_the_run(record: Any, robots: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.rollout.strategies.sentry.episode_rows", lambda *_: 5)

    def save(_: DatasetRecorder) -> Any:
        raise DatasetError("the disk is full")

    monkeypatch.setattr(DatasetRecorder, "save_episode", save)
    with pytest.raises(DatasetError, match="the disk is full"):
        record("sentry")
    assert robots[0].log[-1].event == "torque off"


def test_the_ramp_is_no_part_of_an_episode(record: Any, robots: Any) -> None:
    root = record("sentry", "--safety.ramp_s=0.4")
    assert 0 < sum(episodes(root)) < 0.7 * len([entry for entry in robots[0].log if entry.event == "command"])


def test_a_faster_loop_is_recorded_at_the_rate_of_the_policy(record: Any, robots: Any) -> None:
    root = record("sentry", "--interpolation_multiplier=2", "--safety.max_step=0.5")
    sent = [entry.values for entry in robots[0].log if entry.event == "command"]
    stored = rows(root)
    assert len(stored) == len(sent) // 2
    for number in (0, 1, len(stored) - 1):
        assert stored[number]["action"] == pytest.approx([sent[2 * number + 1][key] for key in KEYS], abs=1e-4)


@pytest.mark.parametrize(
    ("cameras", "target_mb", "expected"),
    [([], None, 9000), ([(480, 640, 3), (240, 320, 3)], None, 218453), ([(480, 640, 3)], 1, 273)],
)
def test_an_episode_is_as_long_as_its_video_may_be(cameras: Any, target_mb: int | None, expected: int) -> None:
    """`target 2^20 8 / (pixels 0.1 fps)` seconds, of the smallest camera; 300 s without one."""
    assert episode_rows(cameras, 30, target_mb) == expected


# --- highlight -------------------------------------------------------------------------------------------------------


def test_what_was_worth_it_is_recorded_with_what_came_before(
    record: Any, wishes: Any, robots: Any, pushed: list[str]
) -> None:
    wishes({20: "save", 26: "save", 30: "upload", 32: "stop"})
    root = record("highlight", "--strategy.ring_buffer_seconds=0.2", "--duration=60")
    # Ten ticks that are remembered, tick 20 itself, and five more.
    assert episodes(root) == [16]
    sent = [entry.values for entry in robots[0].log if entry.event == "command"]
    assert rows(root)[0]["action"] == pytest.approx([sent[10][key] for key in KEYS], abs=1e-4)
    assert pushed == ["torque off"]


def test_without_a_highlight_there_is_no_dataset(record: Any, wishes: Any) -> None:
    wishes({})
    assert not record("highlight").exists()


def test_memory_is_bounded() -> None:
    image = np.zeros((10, 10, 1), np.uint8)

    def tick(index: int) -> Tick:
        return Tick(index, index, 0.0, 0.0, Observation({"top": image, "a.pos": 1.0}), {}, {}, {}, 0.0, 0.0)

    ring = RingBuffer(5, 350)
    for index in range(9):
        ring.add(tick(index))
    image[:] = 7
    kept = ring.take()
    assert [each.index for each in kept] == [6, 7, 8]
    assert not kept[0].observation["top"].any(), "a camera may use its memory again"
    assert len(ring) == 0


# --- corrections -----------------------------------------------------------------------------------------------------

TELEOP = ("--teleop.type=fake", "--teleop.sequence=" + json.dumps([dict.fromkeys(KEYS, -5.0)]))
CORRECTION = {20: "pause_resume", 24: "correction", 34: "correction", 38: "pause_resume", 45: "stop"}


def test_corrections_are_recorded_an_episode_each(record: Any, wishes: Any, robots: Any) -> None:
    wishes(CORRECTION)
    root = record("dagger", *TELEOP, "--strategy.smooth_handover=false", "--duration=60", "--safety.enabled=false")
    assert episodes(root) == [10]
    stored = rows(root)
    assert {row["intervention"] for row in stored} == {True}
    assert {row["commanded_by"] for row in stored} == {"person"}
    assert np.allclose([row["requested_action"] for row in stored], -5.0)
    sent = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command"]
    assert sent[20:25] == pytest.approx([10.0] * 5), "the robot holds what was sent last"
    assert sent[25:35] == pytest.approx([-5.0] * 10)
    assert sent[35:39] == pytest.approx([-5.0] * 4)
    assert sent[40] == pytest.approx(10.0)


def test_the_policy_is_recorded_too_if_asked_for(record: Any, wishes: Any) -> None:
    wishes(CORRECTION)
    root = record("dagger", *TELEOP, "--strategy.record_autonomous=true", "--duration=60")
    stored = rows(root)
    assert [row["intervention"] for row in stored[:32]] == [False] * 21 + [True] * 10 + [False]
    assert {row["commanded_by"] for row in stored if not row["intervention"]} == {"policy"}
    info = json.loads((root / "meta" / "info.json").read_text())
    assert info["features"]["intervention"] == {"dtype": "bool", "shape": [1], "names": None}


def test_so_many_corrections_are_enough(record: Any, wishes: Any, robots: Any) -> None:
    wishes({5: "pause_resume", 6: "correction", 9: "correction", 10: "correction", 14: "correction"})
    root = record("dagger", *TELEOP, "--strategy.num_episodes=2", "--duration=60")
    assert episodes(root) == [3, 4]


@pytest.mark.parametrize("smooth", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_robot_slides_to_who_takes_over(record: Any, wishes: Any, robots: Any, smooth: bool) -> None:
    wishes({20: "pause_resume", 24: "correction", 80: "correction", 84: "pause_resume", 140: "stop"})
    flags = (f"--strategy.smooth_handover={str(smooth).lower()}", "--safety.enabled=false", "--duration=60")
    record("dagger", *TELEOP, *flags)
    sent = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command"]
    steps = np.abs(np.diff(sent))
    # 15 degrees there, and 15 back, in 50 ticks each.
    assert steps.max() == pytest.approx(0.3 if smooth else 15.0)
    assert min(sent) == pytest.approx(-5.0)
    assert sent[-1] == pytest.approx(10.0)


# --- a pedal ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def events(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A pipe in place of the kernel's file, and its other end."""
    path = tmp_path / "event"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield path, keep
    os.close(keep)


def test_a_pedal_passes_on_what_is_pressed(events: tuple[Path, int]) -> None:
    path, end = events
    pedal = Pedal(str(path), {"KEY_A": "pause_resume", "KEY_B": "correction"})
    assert pedal.poll() == []

    def event(kind: int, code: int, value: int) -> bytes:
        return struct.pack("@llHHi", 1, 2, kind, code, value)

    # A down, repeated and up, a report, B down in two parts, C which nobody asked for.
    sent = event(1, 30, 1) + event(1, 30, 2) + event(1, 30, 0) + event(0, 0, 0) + event(1, 46, 1) + event(1, 48, 1)
    os.write(end, sent[:-5])
    assert pedal.poll() == ["pause_resume"]
    os.write(end, sent[-5:])
    assert pedal.poll() == ["correction"]
    pedal.close()


def test_a_pedal_that_is_not_there_or_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceConnectionError, match="cannot be read"):
        Pedal(str(tmp_path / "none"), {})
    with pytest.raises(ConfigError, match="KEY_X1"):
        Pedal(str(tmp_path / "none"), {"KEY_X1": "stop"})


# --- refusals --------------------------------------------------------------------------------------------------------

DATASET = "--dataset.repo_id=me/rollout_x"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategy.type=sentry"], r"--dataset\.repo_id with --strategy\.type=sentry"),
        (["--strategy.type=dagger", DATASET], r"--teleop\.type with --strategy\.type=dagger"),
        (["--strategy.type=sentry", DATASET, "--teleop.type=fake"], r"no --teleop with --strategy\.type=sentry"),
        (["--strategy.type=patrol"], "base, dagger, episodic, highlight, sentry"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arm: PolicyWithProcessors, tmp_path: Path, arguments: list[str], message: str
) -> None:
    arm.save_pretrained(tmp_path / "trained")
    with pytest.raises(ConfigError, match=message):
        load(RolloutConfig, [f"--policy.path={tmp_path / 'trained'}", "--robot.type=fake", *arguments])
