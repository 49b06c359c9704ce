"""What a checkpoint holds, and that a damaged one is refused by name."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lerobot.core.errors import CheckpointError, ConfigError, LeRobotError
from lerobot.training.checkpoints import random_state
from lerobot.training.learner import supervised

Train, Resume = Callable[..., Path], Callable[..., None]


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained") / "run"


@pytest.fixture
def run(trained_once: Path, train: Train, tmp_path: Path) -> Path:
    """A copy of one and the same run."""
    if not trained_once.exists():
        train(trained_once, "--steps=4", "--save_freq=2", "--policy.with_schedule=true")
    copy: Path = shutil.copytree(trained_once, tmp_path / "run", symlinks=True)
    for file in copy.glob("checkpoints/0*/pretrained_model/train_config.json"):
        file.write_text(file.read_text().replace(str(trained_once), str(copy)))
    return copy


def test_the_files_are_those_of_the_field(run: Path) -> None:
    found = {str(file.relative_to(run / "checkpoints")) for file in (run / "checkpoints").rglob("*")}
    inside = {
        "pretrained_model/config.json",
        "pretrained_model/model.safetensors",
        "pretrained_model/train_config.json",
        "pretrained_model/policy_preprocessor.json",
        "pretrained_model/policy_preprocessor_step_3_normalizer_processor.safetensors",
        "pretrained_model/policy_postprocessor.json",
        "pretrained_model/policy_postprocessor_step_0_unnormalizer_processor.safetensors",
        "training_state/training_step.json",
        "training_state/rng_state.safetensors",
        "training_state/optimizer_state.safetensors",
        "training_state/optimizer_param_groups.json",
        "training_state/scheduler_state.json",
        "pretrained_model",
        "training_state",
    }
    steps = ("000002", "000004")
    assert found == {*steps, "last", *(f"{step}/{name}" for step in steps for name in inside)}
    assert (run / "checkpoints/last").readlink() == Path("000004")
    state = run / "checkpoints/000004/training_state"
    assert json.loads((state / "training_step.json").read_text()) == {
        "step": 4,
        "num_processes": 1,
        "dp_world_size": 1,
        "batch_size": 4,
        "grad_accum_steps": 1,
        "parallelism": {"dp_replicate": 1, "dp_shard": 1, "ring_degree": 1, "ulysses_degree": 1},
    }
    tensors = load_file(state / "optimizer_state.safetensors")
    assert set(tensors) == {f"state/{i}/{name}" for i in range(4) for name in ("exp_avg", "exp_avg_sq", "step")}
    assert json.loads((state / "scheduler_state.json").read_text())["last_epoch"] == 4
    dtypes = {
        key: (tensor.dtype, tuple(tensor.shape)) for key, tensor in load_file(state / "rng_state.safetensors").items()
    }
    assert dtypes["py_rng_state"] == (torch.int64, (625,))
    assert dtypes["np_rng_state_values"] == (torch.int64, (624,))
    assert dtypes["torch_rng_state"][0] == torch.uint8


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("pretrained_model/model.safetensors", "model.safetensors"),
        ("pretrained_model/config.json", "config.json"),
        ("pretrained_model/policy_preprocessor_step_3_normalizer_processor.safetensors", "normalizer_processor"),
        ("training_state/training_step.json", "training_step.json"),
        ("training_state/rng_state.safetensors", "rng_state"),
        ("training_state/optimizer_state.safetensors", "optimizer_state"),
        ("training_state/optimizer_param_groups.json", "optimizer_param_groups"),
        ("training_state/scheduler_state.json", "scheduler_state"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_checkpoint_is_refused_by_name(
    run: Path, resume: Resume, file: str, message: str, damage: str
) -> None:
    path = run / "checkpoints/000002" / file
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(LeRobotError, match=message):
        resume(run / "checkpoints/000002")


def test_weights_of_another_policy_are_refused(run: Path, resume: Resume) -> None:
    path = run / "checkpoints/000002/pretrained_model/model.safetensors"
    weights = load_file(path)
    save_file({**weights, "net.9.weight": torch.zeros(1)}, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"net\.9\.weight"):
        resume(run / "checkpoints/000002")


def test_the_optimizer_of_another_policy_is_refused(run: Path, train: Train, resume: Resume, tmp_path: Path) -> None:
    other = train(tmp_path / "other", "--steps=2", "--policy.width=8")
    shutil.copytree(
        other / "checkpoints/last/training_state", run / "checkpoints/000002/training_state", dirs_exist_ok=True
    )
    with pytest.raises(CheckpointError, match="has the shape"):
        resume(run / "checkpoints/000002")


def test_a_finished_run_says_how_to_train_longer(run: Path, resume: Resume) -> None:
    with pytest.raises(LeRobotError, match="is at step 4") as caught:
        resume(run / "checkpoints/last")
    assert "--steps=" in caught.value.hint
    resume(run / "checkpoints/last", "--steps=6")
    assert (run / "checkpoints/last").readlink() == Path("000006")


def test_an_output_folder_that_is_taken_is_refused(run: Path, train: Train) -> None:
    with pytest.raises(LeRobotError, match="exists already") as caught:
        train(run, "--steps=2")
    assert "--resume=true" in caught.value.hint


def test_a_checkpoint_that_was_interrupted_is_not_one(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name appears in the last step: a failure before it leaves what was there."""
    before = sorted((run / "checkpoints").iterdir())

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(supervised, "save_scheduler", fail)
    from lerobot.core.config import load
    from lerobot.training.command import train as again
    from lerobot.training.commands.train import TrainPipelineConfig

    flags = [f"--config_path={run}/checkpoints/000002/pretrained_model/train_config.json", "--resume=true", "--steps=9"]
    with pytest.raises(OSError, match="no space left"):
        again(load(TrainPipelineConfig, [*flags, "--save_freq=3"]).config)
    assert [path for path in sorted((run / "checkpoints").iterdir()) if path.name != ".writing"] == before
    assert (run / "checkpoints/last").readlink() == Path("000004")


def test_random_states_are_complete() -> None:
    """The cached halves of pairs of normal draws too, which the peer loses or rounds."""

    def draw() -> list[float]:
        return [
            random.gauss(0, 1),
            random.random(),
            float(np.random.normal()),
            float(torch.randn(())),
            random.gauss(0, 1),
        ]

    random_state.seed_everything(3)
    draw()
    states = random_state.capture()
    first = draw()
    draw()
    random_state.restore(states)
    assert draw() == first
    with random_state.aside(1):
        draw()
    follow = draw()
    random_state.restore(states)
    draw()
    assert draw() == follow


def test_incomplete_random_states_are_refused() -> None:
    states = random_state.capture()
    del states["np_rng_state_values"]
    with pytest.raises(CheckpointError, match="np_rng_state_values"):
        random_state.restore(states)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--accelerator.gradient_accumulation.steps=2", "--steps=3"), "multiple of"),
        (("--eval_steps=2", "--steps=2"), "eval_split"),
        (("--dataset.image_transforms.enable=true", "--dataset.image_transforms.tfs={a: {type: Blur}}"), "not 'Blur'"),
        (("--dataset.streaming=true", "--dataset.mix_with=[{repo_id: test/other}]"), "streaming of one dataset"),
        (("--use_policy_training_preset=false",), "an optimizer"),
    ],
)
def test_runs_that_cannot_be_are_refused(train: Train, tmp_path: Path, flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(tmp_path / "run", *flags)
