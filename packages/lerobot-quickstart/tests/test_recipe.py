"""The commands: real ones, with real flags, and the ones that go on with what is there."""

from pathlib import Path

import pytest
import torch

from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.quickstart.commands.quickstart import QuickstartConfig
from lerobot.quickstart.recipe import Settings, Step, recipe, settings

FULL = Settings("reach", 300, 2000, 50, 1000)


def steps(folder: Path, chosen: Settings = FULL) -> dict[str, Step]:
    return {step.name: step for stage in recipe(chosen, folder) for step in stage}


@pytest.mark.parametrize("task", ["reach", "push", "lift"])
@pytest.mark.parametrize("name", ["record-1", "record-2", "merge", "verify", "train", "untrained", "eval"])
def test_every_command_is_accepted_by_its_own_model(tmp_path: Path, name: str, task: str) -> None:
    """As `lerobot` would: unknown flags, values out of range and plugins that are not there are refused."""
    command, *flags = steps(tmp_path, Settings(task, 3, 20, 4, 7))[name].begin()
    flags = [flag if not flag.startswith("--policy.path=") else "--policy.type=act" for flag in flags]
    config = load(registry.config_class("command", command), flags, {}).config
    match name:
        case "record-1" | "record-2":
            assert (config.robot.task, config.robot.realtime) == (task, False)
            assert config.dataset.num_episodes == {"record-1": 2, "record-2": 1}[name]
            assert set(config.robot.cameras) == {"front", "wrist"}
        case "merge":
            assert config.operation.roots == [tmp_path / "data-1", tmp_path / "data-2"]
        case "train":
            assert (config.steps, config.seed, config.dataset.in_memory) == (20, 7, True)
            assert config.dataset.image_transforms.enable
        case "untrained":
            assert config.steps == 1
        case "eval":
            assert (config.env.task, config.env.fps, config.eval.n_episodes, config.seed) == (task, 10, 4, 7)


def test_the_policy_is_evaluated_in_the_world_it_was_recorded_in(tmp_path: Path) -> None:
    """Same rate, same pictures; other starts: no demonstration's seed is among the evaluation's."""
    found = steps(tmp_path)
    flags = ["--policy.type=act", *found["eval"].command[2:]]
    evaluation = load(registry.config_class("command", "eval"), flags, {}).config
    seeds = set()
    for name in ("record-1", "record-2"):
        record = load(registry.config_class("command", "record"), list(found[name].command[1:]), {}).config
        assert evaluation.env.fps == record.dataset.fps
        assert evaluation.env.cameras == tuple(record.robot.cameras)
        sizes = {(camera.width, camera.height) for camera in record.robot.cameras.values()}
        assert sizes == {(evaluation.env.width, evaluation.env.height)}
        assert record.robot.seed not in range(evaluation.seed, evaluation.seed + evaluation.eval.n_episodes)
        seeds.add(record.robot.seed)
    assert len(seeds) == 2, "two recordings of the same demonstrations are one"


def test_one_demonstration_is_one_recording(tmp_path: Path) -> None:
    found = steps(tmp_path, Settings("reach", 1, 20, 4, 7))
    assert {"record-2", "merge"}.isdisjoint(found)
    assert found["record"].product == found["verify"].product


def test_a_merge_that_was_broken_off_begins_anew(tmp_path: Path, leave) -> None:
    step = steps(tmp_path)["merge"]
    leave(("record", f"--dataset.root={tmp_path / 'data'}", "--dataset.num_episodes=300"))
    assert not step.is_complete(), "the folder does not say whether all of it is there"
    assert step.begin() == step.command
    assert not (tmp_path / "data").exists()


def test_the_untrained_policy_takes_its_one_step_at_rate_zero(tmp_path: Path) -> None:
    """The schedule begins with a factor of 0, so its weights are those the training begins with."""
    trained, untrained = (steps(tmp_path)[name].command for name in ("train", "untrained"))
    differing = {flag.partition("=")[0] for flag in {*trained} ^ {*untrained}}
    assert differing == {"--steps", "--output_dir"}
    config = load(registry.config_class("command", "train"), list(untrained[1:]), {}).config
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    config.scheduler.build(optimizer=optimizer, total_steps=config.steps)
    assert optimizer.param_groups[0]["lr"] == 0.0


def test_a_recording_goes_on_with_the_episodes_that_are_left(tmp_path: Path, leave) -> None:
    step = steps(tmp_path)["record-1"]
    first = step.begin()
    assert first == step.command
    assert "--dataset.num_episodes=150" in first
    leave(("record", f"--dataset.root={tmp_path / 'data-1'}", "--dataset.num_episodes=80"))
    assert step.done() == 80
    resumed = step.begin()
    assert {*resumed} - {*first} == {"--resume=true", "--dataset.num_episodes=70"}


def test_a_recording_without_an_episode_begins_anew(tmp_path: Path, leave) -> None:
    leave(("record", f"--dataset.root={tmp_path / 'data-1'}", "--dataset.num_episodes=0"))
    assert "--resume=true" not in steps(tmp_path)["record-1"].begin()
    assert not (tmp_path / "data-1").exists()


def test_a_training_goes_on_from_its_checkpoint_or_begins_anew(tmp_path: Path, leave) -> None:
    step = steps(tmp_path)["train"]
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "metrics.csv").write_text("step,loss\n50,0.9\n")
    assert step.begin() == step.command
    assert not (tmp_path / "train").exists(), "lerobot train refuses a folder that is not empty"
    leave(step.command)
    assert step.begin() == (
        "train",
        f"--config_path={tmp_path / 'train/checkpoints/last/pretrained_model/train_config.json'}",
        "--resume=true",
    )


def test_what_was_killed_after_its_last_breath_is_complete(tmp_path: Path, leave) -> None:
    """All episodes are there, or the last checkpoint: there is nothing to go on with."""
    found = steps(tmp_path)
    assert not any(step.is_complete() for step in found.values())
    leave(found["record-1"].command)
    assert found["record-1"].is_complete()
    for saved, complete in (("001750", False), ("002000", True)):
        checkpoint = tmp_path / "train" / "checkpoints" / saved
        checkpoint.mkdir(parents=True)
        last = checkpoint.with_name("last")
        last.unlink(missing_ok=True)
        last.symlink_to(saved)
        assert found["train"].is_complete() is complete


def test_short_is_a_default_and_not_more() -> None:
    assert settings(QuickstartConfig()) == FULL
    assert settings(QuickstartConfig(short=True)) == Settings("reach", 4, 20, 4, 1000)
    asked = QuickstartConfig(short=True, steps=30, episodes=2, eval_episodes=1, seed=3, task="lift")
    assert settings(asked) == Settings("lift", 2, 30, 1, 3)
