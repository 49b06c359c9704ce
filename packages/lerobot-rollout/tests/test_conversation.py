"""A policy that a person drives with typed words: nothing moves before /start, and the words are those of the peer."""

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.core.types import Observation
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.conversation import NO_TEXT, RULE, Conversation, Phase
from lerobot.rollout.typed import TypedLines

CAMERAS = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 60}}"


class Person:
    """A conversation whose lines a test types, tick by tick."""

    def __init__(self, ticks: int | None = None) -> None:
        self.typed: list[str | None] = []
        self.said: list[str] = []
        self.resets = 0
        self.stop = threading.Event()
        self.actor: Any = SimpleNamespace(task="pick")
        self.conversation = Conversation(
            SimpleNamespace(poll=self._poll),  # type: ignore[arg-type]
            self.stop,
            self,
            self.actor,
            ticks=ticks,
            way_home=lambda now, start: [{"a.pos": now["a.pos"]}, {"a.pos": start["a.pos"]}],
            say=self.said.append,
        )

    def _poll(self) -> list[str | None]:
        typed, self.typed = self.typed, []
        return typed

    def reset(self) -> None:
        self.resets += 1

    def next_action(self, _observation: Observation, tick: int) -> dict[str, float]:
        return {"a.pos": 100.0 + tick}

    def types(self, *lines: str | None, pose: float = 0.0) -> Any:
        self.typed += lines
        return self.conversation.next_action(Observation({"a.pos": pose}), 0)


def test_nothing_moves_until_a_person_says_so_and_what_was_there_before_is_forgotten() -> None:
    person = Person()
    assert person.types() == {}
    assert "the robot will NOT move until you type /start." in person.said[0]
    assert person.types("/START") == {"a.pos": 100.0}
    assert person.types() == {"a.pos": 101.0}
    assert person.resets == 1
    assert person.types("/start") == {"a.pos": 102.0}
    assert person.said[-1].startswith("Already running")


def test_a_reset_brings_the_robot_back_and_holds() -> None:
    person = Person()
    person.types("/start", pose=1.0)
    assert person.types("/reset", pose=7.0) == {"a.pos": 7.0}
    assert person.types(pose=7.0) == {"a.pos": 1.0}
    assert person.types() == {}
    assert person.conversation.phase is Phase.HOLDS
    assert person.said[-1] == "Robot reset — holding at initial position. /start to run."
    assert person.types("/start") == {"a.pos": 100.0}
    assert person.resets == 2


def test_a_run_lasts_its_time_and_can_be_begun_again() -> None:
    person = Person(ticks=2)
    assert [person.types("/start"), person.types(), person.types()] == [{"a.pos": 100.0}, {"a.pos": 101.0}, {}]
    assert person.said[-1].startswith("Rollout run ended on its own (duration reached).")
    assert person.types("/start") == {"a.pos": 100.0}


def test_the_task_changes_while_it_acts() -> None:
    person = Person()
    person.types('/subtask "push it"', "/subtask")
    assert person.actor.task == "push it"
    assert person.said[-2:] == [
        "Task: 'pick' → 'push it' (applies from the next policy inference)",
        "Task: 'push it'",
    ]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/vqa what is it?", NO_TEXT),
        ("/autosteer tidy up", NO_TEXT),
        ("/fly", "Unknown command '/fly'. Type /help for the list."),
        ("go", "Input not recognized — commands start with '/'. Type /help for the list."),
    ],
)
def test_what_cannot_be_done_is_answered_and_moves_nothing(line: str, answer: str) -> None:
    person = Person()
    assert person.types(line) == {}
    assert person.said[-1] == answer


@pytest.mark.parametrize("end", ["/stop", None])
def test_a_word_or_the_end_of_the_input_ends_the_run(end: str | None) -> None:
    person = Person()
    person.types("/start", end)
    assert person.stop.is_set()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Standard input on which each text is typed once something that begins so is said; gives what is said."""
    read, write = os.pipe()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(fileno=lambda: read))

    def answer(*plan: tuple[str, str]) -> list[str]:
        left, said = list(plan), []

        class Terminal(io.StringIO):
            def write(self, text: str) -> int:
                said.append(text)
                if left and text.startswith(left[0][0]):
                    os.write(write, left.pop(0)[1].encode())
                return len(text)

        monkeypatch.setattr("sys.stdout", Terminal())
        return said

    yield answer
    os.close(write)
    os.close(read)


def test_lines_come_whole_and_the_end_is_told() -> None:
    read, write = os.pipe()
    lines, found = TypedLines(read), []
    os.write(write, b"/start\n/sub")
    os.write(write, "task grün\n".encode())
    os.close(write)
    until = time.monotonic() + 30
    while None not in found and time.monotonic() < until:
        found += lines.poll()
        time.sleep(0.001)
    os.close(read)
    assert found == ["/start", "/subtask grün", None]


def test_the_base_strategy_is_driven_by_words(run: Any, robots: Any, answers: Any) -> None:
    said = answers((RULE, "/subtask reach\n/start\n"), ("Rollout run ended", "/stop\n"))
    flags = ["--duration=0.6", "--safety.ramp_s=0", "--return_to_initial_position=false"]
    assert run(CAMERAS, "--interactive=true", *flags) == 0
    sent = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command" and entry.values]
    assert sent[-1] == pytest.approx(10.0)
    assert "Task: '' → 'reach' (applies from the next policy inference)\n" in said
    assert robots[0].log[-1].event == "torque off"


def test_what_is_done_between_two_runs_is_not_recorded(run: Any, answers: Any, tmp_path: Path) -> None:
    """Two runs of ten ticks with a way home between them are two episodes, each with its task."""
    ended = "Rollout run ended"
    answers((RULE, "/start\n"), (ended, "/reset\n"), ("Robot reset", "/subtask again\n/start\n"), (ended, "/stop\n"))
    root = tmp_path / "set"
    flags = ["--dataset.repo_id=me/rollout_x", f"--dataset.root={root}", "--dataset.fps=50", "--dataset.no_stamp=true"]
    flags += ["--duration=0.2", "--safety.ramp_s=0", "--task=once", "--return_to_initial_position=false"]
    assert run(CAMERAS, "--strategy.type=sentry", "--interactive=true", "--play_sounds=false", *flags) == 0
    rows = [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert [sum(row["episode_index"] == index for row in rows) for index in (0, 1)] == [10, 10]
    assert {row["task_index"] for row in rows[:10]} != {row["task_index"] for row in rows[10:]}


def test_a_strategy_that_has_keys_of_its_own_is_refused(arm: PolicyWithProcessors, tmp_path: Path) -> None:
    arm.save_pretrained(tmp_path / "trained")
    flags = [f"--policy.path={tmp_path / 'trained'}", "--robot.type=fake", "--interactive=true"]
    with pytest.raises(ConfigError, match="base or sentry with --interactive"):
        load(RolloutConfig, [*flags, "--strategy.type=highlight", "--dataset.repo_id=me/rollout_x"])
