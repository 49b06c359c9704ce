"""Flags of earlier releases, and of texts about them: an alias with a notice, or a refusal that names today's."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.core.registry import registry

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)
TRAIN = ["--policy.type=act", "--dataset.repo_id=me/cubes"]
DRIVE = ["--robot.type=fake", "--teleop.type=fake"]
RECORD = [*DRIVE, "--dataset.repo_id=me/cubes"]
REPLAY = ["--robot.type=fake", "--dataset.repo_id=me/cubes", "--dataset.episode=0"]

ALIASES: list[tuple[str, list[str], str, str, Any]] = [
    ("train", ["--dataset.repo_id=me/cubes"], "--policy=act", "policy.type", "act"),
    ("train", TRAIN, "--training.num_steps=7", "steps", 7),
    ("train", TRAIN, "--training.batch_size=3", "batch_size", 3),
    ("train", TRAIN, "--training.learning_rate=0.5", "policy.optimizer_lr", 0.5),
    ("train", TRAIN, "--training.eval_freq=9", "env_eval_freq", 9),
    ("train", TRAIN, "--eval_freq=9", "env_eval_freq", 9),
    ("train", TRAIN, "--training.save_freq=9", "save_freq", 9),
    ("train", TRAIN, "--training.use_amp=true", "policy.use_amp", True),
    ("train", TRAIN, "--training.gradient_accumulation_steps=2", "accelerator.gradient_accumulation.steps", 2),
    ("train", TRAIN, "--device=cpu", "policy.device", "cpu"),
    ("train", ["--policy.type=act"], "--repo-id=me/cubes", "dataset.repo_id", "me/cubes"),
    ("train", [*TRAIN, "--env.type=sim"], "--eval.max_steps=20", "env.episode_length", 20),
    ("eval", ["--policy.type=remote", "--policy.address=127.0.0.1:1"], "--robot.type=fake", "robot.type", "fake"),
    ("record", RECORD[1:], "--robot-type=fake", "robot.type", "fake"),
    ("record", DRIVE, "--repo-id=me/cubes", "dataset.repo_id", "me/cubes"),
    ("record", RECORD, "--num-episodes=3", "dataset.num_episodes", 3),
    ("teleoperate", DRIVE[1:], "--robot-type=fake", "robot.type", "fake"),
    ("calibrate", [], "--robot-type=fake", "robot.type", "fake"),
    ("replay", REPLAY[:2], "--episode-index=4", "dataset.episode", 4),
    ("dataset-viz", ["--repo-id=me/cubes"], "--episode-index=4", "episode_index", 4),
]
REFUSED = [
    ("train", TRAIN, "--training.domain_randomization=true", "--dataset.image_transforms.enable=true"),
    ("train", TRAIN, "--local-files-only", "HF_HUB_OFFLINE=1"),
    ("dataset-viz", ["--repo_id=me/cubes", "--episode_index=0"], "--local-files-only=1", "HF_HUB_OFFLINE=1"),
    ("record", RECORD, "--control-mode=teleoperation", "lerobot teleoperate"),
    ("teleoperate", DRIVE, "--control-mode=teleoperation", "--teleop.type=NAME"),
]
AS_IT_IS = {"--policy", "--env.task"}
"""Flags of the list that are today's."""


def flag_of(argument: str) -> str:
    return argument.partition("=")[0]


@pytest.mark.parametrize(
    ("command", "others", "argument", "today", "value"), ALIASES, ids=lambda value: str(value)[:40]
)
def test_an_earlier_flag_sets_the_field_of_today_and_says_so(
    command: str, others: list[str], argument: str, today: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    others = [*others, "--dataset.episode=0"] if command == "replay" and "episode" not in argument else others
    with caplog.at_level(logging.WARNING):
        found: Any = load(registry.config_class("command", command), [*others, argument]).config
    for name in today.split("."):
        found = getattr(found, name)
    assert found == value
    said = [record.getMessage() for record in caplog.records]
    same = flag_of(argument).replace("-", "_").strip("_") == today
    assert said == ([] if flag_of(argument) in AS_IT_IS or same else [f"{flag_of(argument)} is now --{today}"])


def test_a_flag_of_another_command_still_gets_its_value_as_the_next_word() -> None:
    config: Any = load(registry.config_class("command", "record"), [*RECORD, "--num-episodes", "3"]).config
    assert config.dataset.num_episodes == 3


@pytest.mark.parametrize(("command", "others", "argument", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_flag_without_a_counterpart_is_refused_with_what_to_write(
    command: str, others: list[str], argument: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(registry.config_class("command", command), [*others, argument])
    (problem,) = caught.value.problems
    assert problem.where == flag_of(argument)
    assert said in problem.expected


def test_every_call_of_the_mission_is_tried() -> None:
    sheet = SHARED / "spec/mission_rows.md" if SHARED else None
    if sheet is None or not sheet.exists():
        pytest.skip("../shared/spec/mission_rows.md is absent")
    listed = sheet.read_text(encoding="utf-8").split("## Calls")[1]
    flags = {flag_of(text) for text in re.findall(r"`(--[^`]+)`", listed.partition("each works")[0])}
    tried = {flag_of(argument) for _, _, argument, *_ in [*ALIASES, *REFUSED]}
    assert len(flags) > 15
    assert flags - {"--policy.type"} <= tried | AS_IT_IS
