"""A resumed run is the one whose folder was named, and everything it is given is applied or refused."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.resume import REFUSED

Train, Resume, States = Callable[..., Path], Callable[..., None], Callable[[Path], dict[str, bytes]]

APPLIED = {
    "accelerator", "batch_size", "channels_last", "checkpoint_format", "cudnn_deterministic",
    "dataloader_multiprocessing_context", "ema", "env", "env_eval_freq", "eval", "eval_steps", "executor", "job_name",
    "launch", "log_freq", "max_eval_samples", "num_workers", "parallelism", "persistent_workers", "prefetch_factor",
    "rename_map", "save_checkpoint", "save_freq", "steps", "teacher", "tolerance_s", "wandb",
}  # fmt: skip
PARTLY = {"dataset", "optimizer", "policy"}
PLACES = {"checkpoint_path", "output_dir", "resume", "scheduler"}
PEER_ONLY = {"job", "reward_model", "sample_weighting", "save_checkpoint_to_hub", "use_rabc"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made") / "run"


@pytest.fixture
def run(made: Path, train: Train, tmp_path: Path) -> Path:
    """A copy of a run of 4 steps with a schedule, which the copied files know nothing of."""
    if not made.exists():
        train(made, "--steps=4", "--save_freq=2", "--policy.with_schedule=true")
    return Path(shutil.copytree(made, tmp_path / "run", symlinks=True))


def test_every_field_is_decided_on() -> None:
    """A field of a later day is applied or refused, not forgotten."""
    refused = {name for name in REFUSED if "." not in name}
    assert set(TrainPipelineConfig.model_fields) == APPLIED | PARTLY | PLACES | PEER_ONLY | refused


def test_a_renamed_run_goes_on_where_it_is(train: Train, resume: Resume, states: States, tmp_path: Path) -> None:
    """And not in the run that has taken its place."""
    train(tmp_path / "run", "--steps=2")
    (tmp_path / "run").rename(tmp_path / "run_old")
    train(tmp_path / "run", "--steps=2", "--seed=2")
    whole = train(tmp_path / "whole", "--steps=3", "--save_freq=0")
    untouched = states(tmp_path / "run/checkpoints/000002")
    resume(tmp_path / "run_old/checkpoints/last", "--steps=3")
    assert states(tmp_path / "run_old/checkpoints/000003") == states(whole / "checkpoints/000003")
    assert {path.name for path in (tmp_path / "run/checkpoints").iterdir()} == {"000002", "last"}
    assert states(tmp_path / "run/checkpoints/000002") == untouched
    saved = json.loads((tmp_path / "run_old/checkpoints/last/pretrained_model/train_config.json").read_text())
    assert saved["output_dir"] == str(tmp_path / "run_old")


def test_a_copy_goes_on_in_the_copy(run: Path, made: Path, resume: Resume) -> None:
    before = sorted(path.name for path in (made / "checkpoints").iterdir())
    resume(run / "checkpoints/last", "--steps=5")
    assert (run / "checkpoints/last").readlink() == Path("000005")
    assert sorted(path.name for path in (made / "checkpoints").iterdir()) == before


def test_another_checkpoint_of_the_run_can_be_named_but_not_of_another(
    run: Path, made: Path, train: Train, resume: Resume
) -> None:
    shutil.rmtree(run / "checkpoints/000004")
    (run / "checkpoints/last").unlink()
    shutil.copytree(run / "checkpoints/000002", run / "checkpoints/000003")
    resume(run / "checkpoints/000003", f"--checkpoint_path={run}/checkpoints/000002")
    assert (run / "checkpoints/last").readlink() == Path("000004")
    with pytest.raises(CheckpointError, match="is of the run"):
        resume(run / "checkpoints/000002", f"--checkpoint_path={made}/checkpoints/000004")


def test_an_incomplete_checkpoint_does_not_become_another(run: Path, made: Path, resume: Resume) -> None:
    """Its file still names a complete one, of the run it was copied from."""
    shutil.rmtree(run / "checkpoints/000002/training_state")
    with pytest.raises(CheckpointError, match="incomplete"):
        resume(run / "checkpoints/000002")
    assert (made / "checkpoints/000002").is_dir()


def rates(run: Path) -> dict[int, float]:
    with (run / "metrics.csv").open(newline="") as file:
        return {int(row["step"]): float(row["lr"]) for row in csv.DictReader(file)}


def test_a_new_rate_holds_from_the_first_step_on(run: Path, resume: Resume) -> None:
    """Of a schedule that warms up over 2 steps and is a cosine of 4: at step 3 half of it, whatever the base."""
    resume(run / "checkpoints/000002", "--optimizer.lr=0.5")
    # The rate that a report shows is that of the step to come.
    assert rates(run)[3] == pytest.approx(0.25)
    groups = json.loads((run / "checkpoints/000004/training_state/optimizer_param_groups.json").read_text())
    assert groups[0]["initial_lr"] == 0.5


def test_other_settings_of_the_optimizer_hold_too(run: Path, resume: Resume) -> None:
    resume(run / "checkpoints/000002", "--optimizer.weight_decay=0.25", "--optimizer.betas=[0.5, 0.75]")
    groups = json.loads((run / "checkpoints/000004/training_state/optimizer_param_groups.json").read_text())
    assert (groups[0]["weight_decay"], groups[0]["betas"]) == (0.25, [0.5, 0.75])


def test_another_schedule_goes_on_at_the_step(run: Path, resume: Resume) -> None:
    resume(run / "checkpoints/000002", "--scheduler.name=constant_with_warmup", "--scheduler.num_warmup_steps=4")
    assert rates(run)[3] == pytest.approx(0.75 * 1e-2)


def test_moments_are_kept_with_new_settings(run: Path, resume: Resume) -> None:
    """With a rate next to nothing the weights stay, and the count of steps goes on."""
    before = load_file(run / "checkpoints/000002/pretrained_model/model.safetensors")
    resume(run / "checkpoints/000002", "--optimizer.lr=1e-12", "--optimizer.weight_decay=0")
    after = load_file(run / "checkpoints/000004/pretrained_model/model.safetensors")
    assert all((after[name] - before[name]).abs().max() < 1e-9 for name in before)
    state = load_file(run / "checkpoints/000004/training_state/optimizer_state.safetensors")
    assert state["state/0/step"].item() == 4


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("--seed=7", "random states"),
        ("--dataset.repo_id=test/other", "frames it began with"),
        ("--dataset.episodes=[0, 1]", "frames it began with"),
        ("--dataset.eval_split=0.5", "frames it began with"),
        ("--dataset.streaming=true", "frames it began with"),
        ("--dataset.use_imagenet_stats=false", "statistics it began with"),
        ("--policy.lr=0.5", "the optimizer is already made"),
        ("--policy.with_schedule=false", "the scheduler is already made"),
        ("--policy.normalization_mapping={STATE: IDENTITY}", "processors"),
        ("--policy.pretrained_path=elsewhere", "weights are those of the checkpoint"),
        ("--peft.r=2", "adapters are made when a run begins"),
        ("--optimizer.type=adam", "state of another optimizer"),
        ("--scheduler=null", "a schedule begins when a run begins"),
        ("--output_dir=elsewhere", "is not the folder of the run"),
        ("--ema.enable=true", "ema_state"),
    ],
)
def test_what_cannot_change_is_refused_with_the_reason(run: Path, resume: Resume, flag: str, reason: str) -> None:
    with pytest.raises(LeRobotError, match=reason):
        resume(run / "checkpoints/000002", flag, "--steps=6")
    assert not (run / "checkpoints/000006").exists()


def test_flags_that_repeat_what_is_saved_are_no_change(run: Path, resume: Resume, made: Path) -> None:
    resume(run / "checkpoints/000002", "--seed=1000", "--optimizer.lr=0.01", f"--output_dir={made}")
    assert (run / "checkpoints/last").readlink() == Path("000004")
