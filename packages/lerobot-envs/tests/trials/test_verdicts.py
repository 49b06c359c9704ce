"""`lerobot eval --robot.type=...`: who judges an episode, what is counted, and what is refused."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, FeatureMismatchError, LeRobotError
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.report import summary_line, wilson_interval
from lerobot.envs.trials.wishes import require_judge

from .conftest import TenPolicy

PAN = ("--detector.type=threshold", "--detector.feature=shoulder_pan.pos")


def pans(robot: Any) -> list[float]:
    return [entry.values["shoulder_pan.pos"] for entry in robot.log if entry.event == "command"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows whenever the policy is asked; the first time is the rehearsal."""
    times: list[None] = []
    monkeypatch.setattr(TenPolicy, "asked", staticmethod(lambda: times.append(None)))
    return times


def test_a_person_judges_with_keys(evaluate: Any, person: Any, journal: Any, robots: Any) -> None:
    """Keys without a meaning do nothing."""
    person(("Episode 0", "x7s"), ("Episode 1", "f"), ("Episode 2", "u"))
    found = evaluate()
    overall, (task,) = found["overall"], found["per_task"]
    assert (overall["n"], overall["n_success"], overall["n_unknown"]) == (3, 1, 1)
    assert overall["pc_success_interval_95"] == pytest.approx([100 * end for end in wilson_interval(1, 3)])
    assert (task["task_group"], task["task"]) == ("fake", "Reach ten")
    assert task["metrics"]["successes"] == [True, False, False]
    assert "1 of 3 episodes, 1 unknown, 95 % interval" in summary_line(found)
    assert [(line["index"], line["success"]) for line in journal()] == [(0, True), (1, False), (2, False)]
    assert robots[0].log[-1].event == "torque off"


def test_an_episode_whose_time_is_over_waits_for_its_verdict(
    evaluate: Any, person: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`next` is no verdict; meanwhile the policy does not act. The last episode waits too."""
    watching = person(
        ("Episode 0 is over", "n"),
        ("Waiting for the verdict on episode 0", "n"),
        ("Waiting for the verdict on episode 0", "s"),
        ("Episode 1 is over", "f"),
    )
    found = evaluate("--eval.n_episodes=2", "--eval.episode_time_s=0.2")
    assert not watching.plan
    metrics = found["per_task"][0]["metrics"]
    assert metrics["successes"] == [True, False]
    assert all(0 < steps <= 10 for steps in metrics["steps"])
    assert len(asked) == 1 + sum(metrics["steps"])


def test_a_wrong_verdict_is_corrected_until_the_next_episode_begins(evaluate: Any, person: Any, journal: Any) -> None:
    person(("Episode 0", "s"), ("Episode 0: success", "f"), ("Episode 1", "f"), ("Episode 2", "s"))
    assert evaluate()["per_task"][0]["metrics"]["successes"] == [False, False, True]
    assert [(line["index"], line["success"]) for line in journal()][:2] == [(0, True), (0, False)]


def test_an_episode_is_played_again(evaluate: Any, person: Any, journal: Any) -> None:
    """During the reset the one before, which was judged already; during an episode itself."""
    person(
        ("Episode 0", "r"),
        ("Episode 0 again", ""),
        ("Episode 0", "s"),
        ("Episode 0: success", "r"),
        ("Episode 0 again", ""),
        ("Episode 0", "f"),
        ("Episode 1", "s"),
        ("Episode 2", "s"),
    )
    assert evaluate()["per_task"][0]["metrics"]["successes"] == [False, True, True]
    assert [(line["index"], line.get("success")) for line in journal()] == [
        (0, True),
        (0, None),
        (0, False),
        (1, True),
        (2, True),
    ]


def test_who_stops_gets_the_figures_of_what_was_judged(evaluate: Any, person: Any, caplog: Any) -> None:
    caplog.set_level("INFO")
    watching = person(("Episode 0", "s"), ("Episode 1", "q"))
    assert evaluate()["overall"]["n"] == 1
    assert "Episode 1 was not judged, and is not counted" in watching.shown
    assert "kept: 1 of 3 episodes" in caplog.text
    assert "--resume=true" in caplog.text


def test_words_in_a_file_judge_without_a_terminal(
    evaluate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control"
    words = iter(["failure", "success", "unknown"])
    times = itertools.count()

    def write() -> None:
        # The rehearsal comes first; a word is read at the end of its tick.
        if next(times):
            path.write_text(f"{next(words)}\n")

    monkeypatch.setattr(TenPolicy, "asked", staticmethod(write))
    metrics = evaluate(f"--control_file={path}")["per_task"][0]["metrics"]
    assert metrics["successes"] == [False, True, False]
    assert metrics["steps"] == [1, 1, 1]


def test_a_detector_judges_alone(evaluate: Any, robots: Any) -> None:
    found = evaluate(*PAN, "--detector.above=5")
    assert found["overall"]["n_success"] == 3
    # It ended when the joint was there, long before the time was over.
    assert all(steps < 300 for steps in found["per_task"][0]["metrics"]["steps"])
    assert evaluate(*PAN, "--detector.above=50", "--eval.episode_time_s=0.2")["overall"]["n_success"] == 0
    assert all(robot.log[-1].event == "torque off" for robot in robots)


def test_interpolated_commands_are_no_steps(evaluate: Any, asked: Any) -> None:
    found = evaluate(*PAN, "--detector.above=3", "--interpolation_multiplier=2", "--eval.n_episodes=1")
    assert found["per_task"][0]["metrics"]["steps"] == [len(asked) - 1]


def test_the_gate_stands_between_policy_and_robot(evaluate: Any, robots: Any) -> None:
    one = "--eval.n_episodes=1"
    evaluate(*PAN, "--detector.above=50", "--eval.episode_time_s=0.3", "--safety.max_step=0.02", one)
    commands = pans(robots[0])
    assert max(commands) > 0.1
    assert max(abs(after - before) for before, after in itertools.pairwise(commands)) <= 0.02 + 1e-6


# --- refusals --------------------------------------------------------------------------------------------------------


def test_without_anybody_to_judge_it_is_refused(configure: Any, robots: Any) -> None:
    config = configure()
    for refuse in (require_judge, eval_command):
        with pytest.raises(LeRobotError, match=r"nobody can say(.|\n)*--control_file=PATH, or --detector\.type=NAME"):
            refuse(config)
    assert not robots
    require_judge(configure(*PAN, "--detector.above=1"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env.type=hub", "--env.hub_path=a/b"], r"--env\.type=NAME, or --robot\.type=NAME: one of them"),
        (["--seed=3"], "no --seed, which belongs to --env"),
        (["--eval.n_videos=2"], r"no --eval\.n_videos, which belongs to --env"),
        ([*PAN], r"a bound: --detector\.above=NUMBER"),
        ([*PAN, "--detector.above=2", "--detector.below=1"], "no number is both"),
        (["--resume=true", "--output_dir=null"], "the folder to go on in"),
    ],
)
def test_what_does_not_go_together_is_refused(configure: Any, arguments: Sequence[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configure(*arguments)


@pytest.mark.parametrize("flag", ["--fps=10", "--eval.reset_time_s=1", "--detector.type=scene", "--teleop.type=fake"])
def test_flags_of_robots_are_refused_in_an_environment(checkpoint: Path, flag: str) -> None:
    with pytest.raises(ConfigError, match="which belongs to --robot"):
        load(EvalPipelineConfig, [f"--policy.path={checkpoint}", "--env.type=hub", "--env.hub_path=a/b", flag])


def test_an_untrained_policy_never_reaches_a_robot() -> None:
    with pytest.raises(ConfigError, match="a trained policy, not only its type"):
        load(EvalPipelineConfig, ["--policy.type=ten", "--robot.type=fake"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--detector.type=scene"], "does not know whether its task is solved"),
        (
            ["--detector.type=threshold", "--detector.feature=shoulder_pam.pos", "--detector.above=1"],
            r"no number 'shoulder_pam\.pos'(.|\n)*--detector\.feature=shoulder_pan\.pos",
        ),
    ],
)
def test_a_detector_that_does_not_fit_is_refused_before_anything_moves(
    configure: Any, robots: Any, flags: Sequence[str], message: str
) -> None:
    with pytest.raises(FeatureMismatchError, match=message):
        eval_command(configure(*flags))
    assert robots[0].log == type(robots[0].log)(maxlen=robots[0].log.maxlen)
