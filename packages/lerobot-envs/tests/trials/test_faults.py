"""What goes wrong during an evaluation on a robot: the arm ends in its safe state, and what was judged is kept."""

import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.core.fake import robot as fake_robot
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.registry import registry
from lerobot.envs.command import eval_command

from .conftest import TenPolicy


@pytest.fixture
def break_down(person: Any) -> Callable[[Callable[[], None]], None]:
    """Seats a person who judges two episodes; in the third one something happens."""

    def seated(happens: Callable[[], None]) -> None:
        watching = person(("Episode 0", "s"), ("Episode 1", "f"))
        see = watching.see

        def seen(text: str) -> None:
            see(text)
            if "Episode 2" in text:
                happens()

        watching.see = seen

    return seated


def lost_arm(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def fail(robot: Any, *_: Any) -> None:
        raise DeviceConnectionError("the arm does not answer", device=str(robot))

    return lambda: monkeypatch.setattr(fake_robot.FakeRobot, "get_observation", fail)


def refused_commands(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def fail(robot: Any, *_: Any) -> None:
        raise DeviceConnectionError("a command was not taken", device=str(robot))

    return lambda: monkeypatch.setattr(fake_robot.FakeRobot, "send_action", fail)


def failing_policy(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def fail() -> None:
        raise RuntimeError("out of memory")

    return lambda: monkeypatch.setattr(TenPolicy, "asked", staticmethod(fail))


@pytest.mark.parametrize(
    ("fault", "error"),
    [(lost_arm, DeviceConnectionError), (refused_commands, DeviceConnectionError), (failing_policy, RuntimeError)],
)
def test_after_a_failure_it_goes_on_with_what_is_missing(
    configure: Any, break_down: Any, person: Any, journal: Any, robots: Any, caplog: Any, fault: Any, error: Any
) -> None:
    caplog.set_level("INFO")
    with pytest.MonkeyPatch.context() as patch:
        break_down(fault(patch))
        with pytest.raises(error):
            eval_command(configure())
    assert robots[0].log[-1].event == "torque off"
    assert not robots[0].is_connected
    assert [(line["index"], line["success"]) for line in journal()] == [(0, True), (1, False)]
    assert "kept: 2 of 3 episodes" in caplog.text
    person(("Episode 2", "s"))
    assert eval_command(configure("--resume=true")) == 0
    assert [line["index"] for line in journal()] == [0, 1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_an_episode_keeps_those_before(
    evaluate: Any, configure: Any, person: Any, journal: Any, robots: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    times = itertools.count()

    def cut() -> None:
        # The rehearsal, one step that is judged, and into the next episode.
        if next(times) == 4:
            os.kill(os.getpid(), number)

    watching = person(("Episode 0", "s"))
    with monkeypatch.context() as patch:
        patch.setattr(TenPolicy, "asked", staticmethod(cut))
        assert eval_command(configure()) == 128 + number
    assert robots[0].log[-1].event == "torque off"
    assert "Episode 1 was not judged" in watching.shown
    assert [line["index"] for line in journal()] == [0]
    person(("Episode 1", "f"), ("Episode 2", "s"))
    found = evaluate("--resume=true")
    assert found["per_task"][0]["metrics"]["successes"] == [True, False, True]
    assert [entry.event for entry in robots[1].log].count("torque on") == 1


def test_a_signal_while_a_verdict_is_awaited_ends_it(configure: Any, person: Any, journal: Any, robots: Any) -> None:
    watching = person()
    see = watching.see

    def seen(text: str) -> None:
        see(text)
        if "Waiting for the verdict" in text:
            os.kill(os.getpid(), signal.SIGINT)

    watching.see = seen
    assert eval_command(configure("--eval.episode_time_s=0.1")) == 128 + signal.SIGINT
    assert "Episode 0 was not judged" in watching.shown
    assert journal() == []
    assert robots[0].log[-1].event == "torque off"


def test_a_verdict_that_cannot_be_kept_ends_the_run(
    configure: Any, person: Any, journal: Any, robots: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: better no evaluation than one whose episodes are lost."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    person(("Episode 0", "s"))
    monkeypatch.setattr("lerobot.envs.journal.os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        eval_command(configure())
    assert robots[0].log[-1].event == "torque off"


def test_a_line_that_was_being_written_is_played_again(
    evaluate: Any, person: Any, journal: Any, tmp_path: Path
) -> None:
    person(*((f"Episode {index}", "s") for index in range(3)))
    whole = evaluate()
    path = tmp_path / "played" / "episodes.jsonl"
    path.write_text(path.read_text()[:-20])
    person(("Episode 2", "f"))
    assert evaluate("--resume=true")["per_task"][0]["metrics"]["successes"] == [True, True, False]
    assert whole["overall"]["n_success"] == 3


def test_another_evaluation_is_not_taken_up(evaluate: Any, configure: Any, person: Any, robots: Any) -> None:
    person(*((f"Episode {index}", "s") for index in range(3)))
    evaluate()
    with pytest.raises(LeRobotError, match=r"made with fps 50\.0, and now it is 25\.0"):
        eval_command(configure("--resume=true", "--fps=25"))
    assert [entry.event for entry in robots[1].log] == []


class CabledConfig(FakeRobotConfig):
    type: str = "cabled"
    port: str


def test_the_same_arm_at_another_port_goes_on(evaluate: Any, person: Any) -> None:
    registry.register("robot", "cabled", CabledConfig)
    person(("Episode 0", "s"), ("Episode 1", "q"))
    evaluate("--robot.type=cabled", "--robot.port=/dev/ttyACM0")
    person(("Episode 1", "s"), ("Episode 2", "s"))
    assert evaluate("--robot.type=cabled", "--robot.port=/dev/ttyACM1", "--resume=true")["overall"]["n_success"] == 3
