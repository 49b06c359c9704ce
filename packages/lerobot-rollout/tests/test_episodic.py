"""`lerobot rollout --strategy.type=episodic` on the fake robot: what is recorded, who drives when, what is refused."""

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError, FeatureMismatchError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.joints import RANGES
from lerobot.core.safety import SafetyConfig, derive_limits
from lerobot.core.types import Observation
from lerobot.datasets.record.requests import Request
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.strategies.episodic import EpisodicSource

KEYS = [f"{joint}.pos" for joint in RANGES]
BODY = [index for index, key in enumerate(KEYS) if key != "gripper.pos"]
CAMERAS = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 60}}"


def rows(root: Path) -> list[dict[str, Any]]:
    """Every committed row, read without the package's own readers."""
    return [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def record(run: Callable[..., int], tmp_path: Path) -> Callable[..., Path]:
    """Records two short episodes, unless told otherwise; gives the dataset's folder."""

    def record_with(*arguments: str) -> Path:
        root = tmp_path / "set"
        usual = {
            "dataset.repo_id": "me/rollout_test",
            "dataset.root": str(root),
            "dataset.fps": "50",
            "dataset.episode_time_s": "0.2",
            "dataset.reset_time_s": "0.1",
            "dataset.num_episodes": "2",
            "dataset.no_stamp": "true",
            "safety.ramp_s": "0",
            "play_sounds": "false",
            "return_to_initial_position": "false",
        }
        given = {argument.removeprefix("--").partition("=")[0] for argument in arguments}
        flags = [f"--{key}={value}" for key, value in usual.items() if key not in given]
        assert run(CAMERAS, "--strategy.type=episodic", *flags, *arguments) == 0
        return root

    return record_with


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Puts a person at the keyboard who presses a key so many polls after a text appeared on the terminal."""

    def press(*plan: tuple[str, int, Request]) -> None:
        waiting = list(plan)

        class Person:
            said = ""
            polls = 0

            def poll(self) -> list[Request]:
                self.said += capsys.readouterr().out
                if not waiting or waiting[0][0] not in self.said:
                    return []
                self.polls += 1
                if self.polls <= waiting[0][1]:
                    return []
                self.polls = 0
                return [waiting.pop(0)[2]]

            def help(self) -> str:
                return "Keys: a script."

            def close(self) -> None:
                """Leaves."""

        monkeypatch.setattr("lerobot.datasets.record.command.open_keyboard", Person)

    return press


def test_episodes_of_the_policy_are_recorded_as_requested_and_as_sent(record: Any, robots: Any) -> None:
    root = record("--safety.max_step=0.5", "--task=Reach ten")
    info = json.loads((root / "meta" / "info.json").read_text())
    assert info["total_episodes"] == 2
    assert info["features"]["action"]["names"] == KEYS
    assert info["features"]["observation.images.top"]["shape"] == [32, 40, 3]
    stored = rows(root)
    requested = np.array([row["requested_action"] for row in stored])
    sent = np.array([row["action"] for row in stored])
    assert np.allclose(requested, 10.0)
    assert (np.abs(np.diff(sent[:, BODY], axis=0)) <= 0.5 + 1e-5)[: len(stored) // 2 - 1].all()
    assert not np.allclose(sent[0, BODY], 10.0)
    logged = {tuple(np.float32([entry.values[key] for key in KEYS])) for entry in robots[0].log if entry.values}
    assert {tuple(row) for row in np.float32(sent)} <= logged
    assert robots[0].log[-1].event == "torque off"
    tasks = pq.read_table(root / "meta" / "tasks.parquet").to_pylist()
    assert "Reach ten" in json.dumps(tasks)


def test_keys_label_the_outcome(record: Any, keys: Any) -> None:
    keys(("Recording episode 0", 0, Request.SUCCESS), ("Recording episode 1", 3, Request.FAILURE))
    # Nearly every first image of an episode comes after the key of the first one.
    root = record("--dataset.episode_time_s=60", "--robot.cameras.top.fps=4")
    outcomes = {row["episode_index"]: row["outcome"] for row in rows(root)}
    assert outcomes == {0: "success", 1: "failure"}


def test_a_control_file_labels_the_outcome(
    record: Any, arm: PolicyWithProcessors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy itself writes the word into the file, at its third action of an episode."""
    path, original = tmp_path / "control", type(arm.policy).select_action
    monkeypatch.setattr("lerobot.datasets.record.command.open_keyboard", lambda: None)
    asked: list[int] = []

    def select_action(policy: Any, batch: Any) -> torch.Tensor:
        asked.append(1)
        # One action was the rehearsal's.
        if len(asked) in {4, 8}:
            path.write_text("success\n")
        return original(policy, batch)

    monkeypatch.setattr(type(arm.policy), "select_action", select_action)
    root = record("--dataset.episode_time_s=60", f"--control_file={path}")
    assert {row["outcome"] for row in rows(root)} == {"success"}
    assert not path.exists()


def test_between_episodes_the_robot_goes_back_to_where_it_was(record: Any, robots: Any) -> None:
    root = record("--dataset.episode_time_s=0.4", "--dataset.reset_time_s=2")
    first = {row["episode_index"]: row["observation.state"] for row in reversed(rows(root))}
    last = {row["episode_index"]: row["observation.state"] for row in rows(root)}
    assert last[0][0] > 5
    assert np.allclose(np.array(first[1])[BODY], np.array(first[0])[BODY], atol=1.0)


def test_without_going_back_the_robot_stays_where_the_policy_left_it(record: Any) -> None:
    root = record("--dataset.episode_time_s=0.4", "--strategy.reset_to_initial_position=false")
    first = {row["episode_index"]: row["observation.state"] for row in reversed(rows(root))}
    last = {row["episode_index"]: row["observation.state"] for row in rows(root)}
    assert np.allclose(np.array(first[1])[BODY], np.array(last[0])[BODY], atol=2.0)
    assert first[1][0] > 5


@pytest.mark.slow
def test_at_the_end_the_robot_goes_back_in_peace(record: Any, robots: Any) -> None:
    record("--return_to_initial_position=true", "--dataset.num_episodes=1")
    commands = [entry.values for entry in robots[0].log if entry.event == "command"]
    assert commands[-1]["shoulder_pan.pos"] == pytest.approx(0.0, abs=0.5)
    assert len(commands) >= 150


@pytest.mark.parametrize("smooth", [False, True])
def test_a_teleoperator_drives_between_episodes(record: Any, robots: Any, smooth: bool) -> None:
    pose = json.dumps([dict.fromkeys(KEYS, -5.0)])
    flags = ["--teleop.type=fake", f"--teleop.sequence={pose}", f"--strategy.smooth_handover={smooth}"]
    root = record(*flags, "--dataset.reset_time_s=1.3")
    commands = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command"]
    assert min(commands) == pytest.approx(-5.0, abs=0.1)
    assert max(commands) > 5
    # 15 degrees in fifty steps, or as fast as the gate lets it.
    steepest = min(after - before for before, after in itertools.pairwise(commands))
    assert (steepest > -1.0) == smooth
    # What the teleoperator did is no part of an episode.
    assert np.allclose([row["requested_action"] for row in rows(root)], 10.0)


def test_a_dataset_is_continued(record: Any, tmp_path: Path) -> None:
    record("--dataset.num_episodes=1")
    root = record("--dataset.num_episodes=1", "--resume=true")
    assert {row["episode_index"] for row in rows(root)} == {0, 1}


def test_every_episode_begins_without_memory(arm: PolicyWithProcessors) -> None:
    limits, _ = derive_limits(FakeRobotConfig().build().action_features, SafetyConfig())

    class Policy:
        resets = 0

        def reset(self) -> None:
            self.resets += 1

        def next_action(self, observation: Any, tick: int) -> Any:
            return {"tick": tick}

    policy = Policy()
    source = EpisodicSource(policy, limits, between=None, goes_back=True, fps=2)  # type: ignore[arg-type]
    start = Observation(dict.fromkeys(KEYS, 4.0))
    for episode in (1, 2):
        assert source.next_action(start, 0) == dict.fromkeys(KEYS, 4.0)
        source.begin()
        assert policy.resets == episode
        assert source.next_action(start, 1) == {"tick": 1}
        # A new run of the loop: the policy no longer acts; the way back takes two ticks, then the robot waits.
        away = Observation(dict.fromkeys(KEYS, 0.0))
        ways = [source.next_action(away, tick)["shoulder_pan.pos"] for tick in range(4)]  # type: ignore[index]
        assert ways == [2.0, 4.0, 4.0, 4.0]


# --- refusals --------------------------------------------------------------------------------------------------------

DATASET = "--dataset.repo_id=me/rollout_x"
EPISODIC = "--strategy.type=episodic"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([DATASET], r"--strategy\.type=episodic with --dataset"),
        (["--teleop.type=fake"], r"--strategy\.type=episodic with --dataset or --teleop"),
        ([EPISODIC], r"--dataset\.repo_id with --strategy\.type=episodic"),
        ([EPISODIC, DATASET, "--duration=5"], r"--dataset\.episode_time_s in place of --duration"),
        ([EPISODIC, DATASET, "--fps=15"], r"the same rate twice, not --fps=15 and --dataset\.fps=30"),
        ([EPISODIC, DATASET, "--task=a", "--dataset.single_task=b"], "one task, not two"),
        ([EPISODIC, "--dataset.repo_id=me/cubes"], "begins with 'rollout_' or 'eval_', because a policy acts in it"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arm: PolicyWithProcessors, tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    arm.save_pretrained(tmp_path / "trained")
    with pytest.raises(ConfigError, match=message):
        load(RolloutConfig, [f"--policy.path={tmp_path / 'trained'}", "--robot.type=fake", *arguments])


def test_what_cannot_be_recorded_never_reaches_the_robot(record: Any, robots: Any, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "something").touch()
    with pytest.raises(DatasetError):
        record()
    assert [entry.event for entry in robots[0].log] == []


def test_a_teleoperator_that_does_not_fit_never_reaches_the_robot(
    record: Any, robots: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot.core.fake.teleoperator import FakeTeleoperator

    monkeypatch.setattr(FakeTeleoperator, "action_features", {"other.pos": float})
    with pytest.raises(FeatureMismatchError, match=r"shoulder_pan\.pos"):
        record("--teleop.type=fake")
    assert [entry.event for entry in robots[0].log] == []
