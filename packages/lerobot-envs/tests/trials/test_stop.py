"""A latched stop holds `lerobot eval --robot.type=...` in every phase; meanwhile the episode's time stands still."""

from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import SafetyError
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import stop_latch
from lerobot.core.types import Action

from .conftest import TenPolicy

HELD = 20
STEPS = 15
NEVER_SOLVED = (
    "--detector.type=threshold", "--detector.feature=shoulder_pan.pos", "--detector.above=50",
    f"--eval.episode_time_s={STEPS / 50}",
)  # fmt: skip


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(1, id="engaging"),
        pytest.param(3, id="in an episode"),
        pytest.param(22, id="in the next one", marks=pytest.mark.slow),
    ],
)
def test_nothing_moves_until_the_release(
    evaluate: Any, lerobot_home: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sent: list[tuple[bool, Action]] = []
    original = FakeRobot.send_action

    def send(robot: FakeRobot, action: Action) -> Action:
        sent.append((stop_latch().present is not None, dict(action)))
        if len(sent) == number:
            stop_latch().set("smoke", "the test")
        if sum(stopped for stopped, _ in sent) == HELD:
            stop_latch().release("the test")
        return original(robot, action)

    monkeypatch.setattr(FakeRobot, "send_action", send)
    asked: list[None] = []
    monkeypatch.setattr(TenPolicy, "asked", staticmethod(lambda: asked.append(None)))
    found = evaluate(*NEVER_SOLVED, "--eval.n_episodes=2")
    stopped = [index for index, (is_stopped, _) in enumerate(sent) if is_stopped]
    assert stopped == list(range(number, number + HELD))
    assert all(sent[index][1] == sent[number][1] for index in stopped)
    assert sent[-1][1] != sent[number][1], "it goes on"
    assert found["per_task"][0]["metrics"]["steps"] == [STEPS, STEPS]
    assert len(asked) == 1 + 2 * STEPS, "the rehearsal, and two whole episodes"


def test_it_does_not_begin_while_a_stop_is_latched(evaluate: Any, lerobot_home: Path, robots: Any) -> None:
    stop_latch().set("smoke", "the test")
    with pytest.raises(SafetyError, match="nothing may move"):
        evaluate(*NEVER_SOLVED)
    assert not robots[0].log
