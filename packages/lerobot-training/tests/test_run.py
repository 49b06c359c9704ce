"""What a run does beside learning: it measures, validates, gathers gradients and writes everything down."""

import csv
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from lerobot.core.config import load
from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.core.hooks import Hooks
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.training.batches import TrainingBatches, to_device, validation_batches
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import BatchConfig, DatasetConfig
from lerobot.training.data import open_dataset
from lerobot.training.learner.gradients import clip_gradients
from lerobot.training.loop import Training
from lerobot.training.trackers.table import CsvTracker

Train, States = Callable[..., Path], Callable[[Path], dict[str, bytes]]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_policy_learns(train: Train, tmp_path: Path) -> None:
    """The action is twice the state, so a linear layer fits the first action of a chunk."""
    run = train(tmp_path / "run", "--steps=300", "--policy.noise=0", "--log_freq=50", "--save_freq=0")
    losses = [float(row["loss"]) for row in rows(run)]
    assert losses[-1] < 0.85 * losses[0]
    trained = PolicyWithProcessors.from_pretrained(run / "checkpoints/last/pretrained_model")
    batch = {"observation.state": torch.tensor([[1.0, -1.0, 0.0]])}
    action = trained.processors.postprocessor(trained.policy.select_action(trained.processors.preprocessor(batch)))
    assert (action - torch.tensor([[2.0, -2.0]])).abs().max() < 0.6


def test_measurements_are_those_of_the_run(train: Train, tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--steps=7", "--log_freq=3")
    found = rows(run)
    assert [row["step"] for row in found] == ["3", "6", "7"]
    assert [float(row["samples"]) for row in found] == [12, 24, 28]
    assert float(found[-1]["epochs"]) == pytest.approx(28 / 75)
    assert all(0 <= float(row["data_wait_share"]) <= 1 for row in found)
    assert {"loss", "largest_error", "grad_norm", "lr", "samples_per_s", "step_s"} <= set(found[0])


def test_gathered_gradients_equal_one_large_batch(train: Train, tmp_path: Path) -> None:
    """Two batches of 4 before each step, against batches of 8; the same frames in the same order."""
    quiet = ("--policy.noise=0", "--save_freq=0", "--optimizer.type=sgd", "--optimizer.lr=0.05")
    small = train(tmp_path / "small", *quiet, "--steps=8", "--accelerator.gradient_accumulation.steps=2")
    large = train(tmp_path / "large", *quiet, "--steps=4", "--batch_size=8")
    weights = [load_file(run / "checkpoints/last/pretrained_model/model.safetensors") for run in (small, large)]
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() < 1e-6


@pytest.mark.parametrize("limit", [0.5, 1 - 1e-7, 1.0, 1 + 1e-6, 3.0, math.inf, math.nan])
def test_gradients_are_clipped_as_torch_does(limit: float) -> None:
    """To the bit, around the limit too; numbers that are none are not hidden."""
    norms, gradients = [], []
    for clip in (clip_gradients, nn.utils.clip_grad_norm_):
        layer = nn.Linear(2, 2)
        layer.weight.grad = torch.tensor([[0.6, 0.0], [0.0, 0.8]])
        norms.append(clip(layer.parameters(), limit))
        gradients.append(layer.weight.grad)
    assert torch.equal(*norms)
    assert torch.equal(*(gradient.nan_to_num(7.0) for gradient in gradients))


def test_validation_changes_nothing_and_the_best_is_kept(train: Train, states: States, tmp_path: Path) -> None:
    split = ("--dataset.eval_split=0.3", "--steps=12", "--save_freq=0")
    checked = train(tmp_path / "checked", *split, "--eval_steps=3")
    unchecked = train(tmp_path / "unchecked", *split)
    one, two = states(checked / "checkpoints/last"), states(unchecked / "checkpoints/last")
    assert {name for name in one if one[name] != two.get(name)} <= {"training_state/training_step.json"}
    measured = {int(row["step"]): float(row["validation_loss"]) for row in rows(checked) if row.get("validation_loss")}
    assert sorted(measured) == [3, 6, 9, 12]
    best = min(measured, key=lambda step: measured[step])
    assert (checked / "checkpoints/best").readlink() == Path(f"{best:06}")
    kept = {path.name for path in (checked / "checkpoints").iterdir() if not path.is_symlink()}
    assert kept == {f"{best:06}", "000012"}


def test_the_best_checkpoint_is_that_of_the_smallest_loss(
    train: Train, resume: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 3, 1, 2 the second, not the newest and not the newest that was better than the one before; a resume knows."""
    losses = iter([3.0, 1.0, 2.0, 1.5, 0.5])
    monkeypatch.setattr(Training, "validate", lambda *_: next(losses))
    run = train(tmp_path / "run", "--dataset.eval_split=0.3", "--steps=6", "--eval_steps=2", "--save_freq=0")
    checkpoints = run / "checkpoints"
    assert (checkpoints / "best").readlink() == Path("000004")
    assert {path.name for path in checkpoints.iterdir() if not path.is_symlink()} == {"000004", "000006"}
    resume(checkpoints / "last", "--steps=8")
    assert (checkpoints / "best").readlink() == Path("000004")
    resume(checkpoints / "last", "--steps=10")
    assert (checkpoints / "best").readlink() == Path("000010")


def test_every_held_out_frame_counts_the_same(train: Train, dataset: Path, tmp_path: Path) -> None:
    """In batches of 4 the last of 33 frames is alone; the mean is that of one batch of all."""
    flags = ("--dataset.eval_split=0.3", "--steps=1", "--eval_steps=1", "--policy.noise=0")
    run = train(tmp_path / "run", *flags)
    found = float(rows(run)[0]["validation_loss"])
    trained = PolicyWithProcessors.from_pretrained(run / "checkpoints/last/pretrained_model")
    config = DatasetConfig(repo_id="test/moves", root=str(dataset), eval_split=0.3)
    data = open_dataset(config, trained.policy.config, BatchConfig())
    assert data.validation is not None
    assert len(data.validation) == 33
    (whole,) = validation_batches(data.validation, BatchConfig(batch_size=33), 0, 0, 1)
    with torch.no_grad():
        loss, _ = trained.policy(trained.processors.preprocessor(whole))
    assert found == pytest.approx(float(loss), rel=1e-5)


def test_readers_are_no_more_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch warns of more, and they wait for one another."""
    for cores, expected in ((1, 1), (2, 2), (64, 4)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert BatchConfig().workers == expected
    assert BatchConfig(num_workers=9).workers == 9


def test_held_out_frames_are_never_trained_on(dataset: Path) -> None:
    from tiny_policy import TinyConfig

    data = open_dataset(
        DatasetConfig(repo_id="test/moves", root=str(dataset), eval_split=0.3, exclude_episodes=[0]),
        TinyConfig(),
        BatchConfig(),
    )
    assert data.validation is not None
    # Episodes 0, 2, 4 are of one task and 1, 3 of the other; the last of each is held out.
    assert data.validation.episode_indices.tolist() == [3, 4]
    assert data.training.episode_indices.tolist() == [1, 2]
    frames = [
        index
        for rank in range(2)
        for batch in validation_batches(data.validation, BatchConfig(batch_size=4), 0, rank, 2)
        for index in batch["index"].tolist()
    ]
    assert sorted(frames) == sorted(item["index"].item() for item in data.validation)
    limited = validation_batches(data.validation, BatchConfig(batch_size=4), 5, 0, 1)
    assert sum(len(batch["index"]) for batch in limited) == 5


@pytest.mark.parametrize(
    "choice", [{"episodes": [9]}, {"exclude_episodes": [7]}, {"exclude_episodes": [0, 1, 2, 3, 4]}]
)
def test_episodes_that_do_not_exist_are_refused(dataset: Path, choice: dict[str, list[int]]) -> None:
    from tiny_policy import TinyConfig

    config = DatasetConfig(repo_id="test/moves", root=str(dataset), **choice)
    with pytest.raises(DatasetError):
        open_dataset(config, TinyConfig(), BatchConfig())


def test_a_dataset_without_episodes_is_refused(tmp_path: Path) -> None:
    from tiny_policy import TinyConfig

    features = {"action": {"dtype": "float32", "shape": (2,), "names": None}}
    LeRobotDataset.create("test/none", 10, features, tmp_path / "none").finalize()
    with pytest.raises(DatasetError, match="test/none has no episode yet"):
        open_dataset(DatasetConfig(repo_id="test/none", root=str(tmp_path / "none")), TinyConfig(), BatchConfig())


def test_any_start_gives_the_same_batches(dataset: Path) -> None:
    """Two processes, over the end of an epoch; and torch's own generator is left alone."""
    data = LeRobotDataset("test/moves", dataset)

    def draw(count: int, start: int = 0) -> list[list[int]]:
        found = []
        for rank in range(2):
            config = BatchConfig(batch_size=4, num_workers=0)
            batches = TrainingBatches(data, config, seed=5, rank=rank, world_size=2)
            batches.start_at(start, 4, 2)
            found += [batch["index"].tolist() for batch, _ in zip(batches, range(count), strict=False)]
        return found

    before = torch.get_rng_state()
    whole = draw(25)
    assert torch.equal(torch.get_rng_state(), before)
    assert draw(15, start=10) == whole[10:25] + whole[35:50]
    first_epoch = whole[:10] + whole[25:35]
    assert {index for batch in first_epoch for index in batch} == set(range(75))


def test_workers_read_the_same_batches(dataset: Path) -> None:
    data = LeRobotDataset("test/moves", dataset)
    found = []
    for workers in (0, 1):
        config = BatchConfig(batch_size=8, num_workers=workers, dataloader_multiprocessing_context="fork")
        batches = iter(TrainingBatches(data, config, seed=5))
        found.append([next(batches)["observation.state"] for _ in range(12)])
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def test_pictures_travel_as_bytes() -> None:
    picture = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    batch = to_device({"cam": picture, "counts": picture, "task": ["a"]}, torch.device("cpu"), {"cam"})
    assert torch.equal(batch["cam"], picture.float() / 255)
    assert batch["counts"].dtype == torch.uint8
    assert batch["task"] == ["a"]


def test_real_video_is_normalised_by_imagenet() -> None:
    root = Path(__file__).parents[4] / "shared/data/derived_from_v1_v30/pusht_1ep"
    if not root.exists():
        pytest.skip("no shared data here")
    from tiny_policy import TinyConfig

    config = DatasetConfig(repo_id="test/pusht", root=str(root))
    data = open_dataset(config, TinyConfig(), BatchConfig())
    (camera,) = data.cameras
    stats = data.stats[camera]
    assert stats["mean"].ravel().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert stats["std"].ravel().tolist() == pytest.approx([0.229, 0.224, 0.225])
    batch = next(iter(TrainingBatches(data.training, BatchConfig(num_workers=0, batch_size=2), seed=1)))
    assert batch[camera].dtype == torch.uint8
    assert batch["action"].shape[:2] == (2, 4)


def test_a_loss_that_is_no_number_ends_the_run(train: Train, tmp_path: Path) -> None:
    with pytest.raises(LeRobotError, match="the loss is nan"):
        train(
            tmp_path / "run",
            "--steps=40",
            "--optimizer.type=sgd",
            "--optimizer.lr=1e30",
            "--optimizer.grad_clip_norm=0",
        )
    assert not list((tmp_path / "run").glob("checkpoints/*"))


def test_the_table_forgets_what_is_beyond_a_resume(tmp_path: Path) -> None:
    hooks = Hooks()
    hooks.register(CsvTracker(tmp_path / "m.csv"), "csv")
    for step in (1, 2, 3):
        hooks.call("train_step", step=step, metrics={"loss": float(step)})
    hooks.call("train_step", step=3, metrics={"validation_loss": 0.5})
    again = Hooks()
    again.register(CsvTracker(tmp_path / "m.csv", 2), "csv")
    again.call("train_step", step=3, metrics={"loss": 9.0})
    assert (tmp_path / "m.csv").read_text() == "step,loss\n1,1.0\n2,2.0\n3,9.0\n"
    assert not hooks.broken


def test_tensorboard_has_every_measurement(train: Train, tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(tmp_path / "run", "--steps=3")
    events = reading.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [1, 2, 3]
    expected = [float(row["loss"]) for row in rows(run)]
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(expected, rel=1e-6)


def test_wandb_that_is_not_installed_is_said_before_training(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(LeRobotError, match="not installed") as caught:
        train(tmp_path / "run", "--steps=1", "--wandb.enable=true")
    assert "lerobot-training[wandb]" in caught.value.hint


def test_a_saved_configuration_is_the_run_again(train: Train, tmp_path: Path) -> None:
    run = train(
        tmp_path / "run", "--steps=2", "--policy.with_schedule=true", "--rename_map={observation.a: observation.b}"
    )
    file = run / "checkpoints/last/pretrained_model/train_config.json"
    saved = json.loads(file.read_text())
    assert not {"ema", "parallelism", "accelerator", "reward_model", "checkpoint_format"} & set(saved)
    config = load(TrainPipelineConfig, [f"--config_path={file}"]).config
    assert config.steps == 2
    assert config.rename_map == {"observation.a": "observation.b"}
    assert config.optimizer is not None
    assert config.optimizer.type == "adamw"
    assert config.scheduler is not None
    assert config.policy.model_dump()["with_schedule"] is True


def test_a_peer_file_with_every_default_is_read(tmp_path: Path, dataset: Path) -> None:
    from lerobot.training.peer_fields import DEFAULTS

    top = ("reward_model", "sample_weighting", "job")
    # As huggingface/lerobot writes them.
    fsdp = {"reshard_after_forward": True, "wrap_modules": None, "min_num_params": None}
    accelerator = {
        "fsdp": {**fsdp, "cpu_offload": False, "ignored_modules": None},
        "compile": {"enabled": False, "backend": "inductor", "mode": None, "regional": True},
        "activation_checkpointing": {"mode": "none"},
    }
    parallelism = {
        "dp_replicate": 1,
        "dp_shard": 1,
        "context_parallel": {"ring_degree": 1, "ulysses_degree": 1},
        "cfg_parallel": 1,
    }
    fields = {
        "dataset": {
            "repo_id": "test/moves",
            "root": str(dataset),
            "repo_type": "dataset",
            "streaming": False,
            "video_backend": "torchcodec",
            "image_transforms": {"enable": False, "max_num_transforms": 3, "tfs": {"hue": {"weight": 1.0}}},
        },
        "policy": {"type": "tiny"},
        "accelerator": {"mixed_precision": "no", **accelerator},
        "parallelism": parallelism,
        "checkpoint_format": "safetensors",
        "eval": {"n_episodes": 50, "batch_size": 8, "recording": False, "recording_repo_id": None},
        "save_checkpoint_to_hub": False,
        "checkpoint_path": None,
        "peft": None,
        "ema": {"enable": False, "decay": None, "power": 0.75, "use_for_eval": True},
        **{name: DEFAULTS[name] for name in top},
    }
    file = tmp_path / "train_config.json"
    file.write_text(json.dumps(fields))
    config = load(TrainPipelineConfig, [f"--config_path={file}"]).config
    assert config.dataset.repo_id == "test/moves"
    assert not config.ema.enable
    assert not config.dataset.image_transforms.enable
    fields["parallelism"] = {**parallelism, "cfg_parallel": 2}
    file.write_text(json.dumps(fields))
    with pytest.raises(LeRobotError, match="not supported"):
        load(TrainPipelineConfig, [f"--config_path={file}"])


def test_files_of_earlier_releases_are_read(tmp_path: Path, caplog: Any) -> None:
    """Names as releases 0.3.3 to 0.5.1 wrote them, and those of before 0.1.0."""
    fields: dict[str, Any] = {
        "dataset": {"repo_id": "test/moves", "local_files_only": True, "video_backend": "torchcodec"},
        "policy": {"type": "tiny"},
        "device": "cuda",
        "use_amp": False,
        "eval_freq": 7,
        "use_rabc": False,
        "rabc_progress_path": None,
        "rabc_kappa": 0.01,
        "rabc_epsilon": 1e-6,
        "rabc_head_mode": "sparse",
    }
    file = tmp_path / "train_config.json"
    file.write_text(json.dumps(fields))
    config = load(TrainPipelineConfig, [f"--config_path={file}"]).config
    assert config.env_eval_freq == 7
    told = sorted(record.message.partition("=")[0] for record in caplog.records)
    assert told == sorted(
        ["local_files_only", "device", "use_amp", *(key for key in fields if key.startswith("rabc_"))]
    )
    assert load(TrainPipelineConfig, [f"--config_path={file}", "--eval_freq=9"]).config.env_eval_freq == 9
    for wrong in ({"use_rabc": True}, {"my_fork_flag": 1}):
        file.write_text(json.dumps({**fields, **wrong}))
        with pytest.raises(LeRobotError, match="|".join(wrong)):
            load(TrainPipelineConfig, [f"--config_path={file}"])


def test_bfloat16_trains(train: Train, tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--steps=2", "--accelerator.mixed_precision=bf16")
    weights = load_file(run / "checkpoints/last/pretrained_model/model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())


def test_a_policy_that_asks_for_mixed_precision_gets_it(train: Train, tmp_path: Path) -> None:
    plain = train(tmp_path / "plain", "--steps=1")
    mixed = train(tmp_path / "mixed", "--steps=1", "--policy.use_amp=true")
    flag = train(tmp_path / "flag", "--steps=1", "--accelerator.mixed_precision=bf16")
    losses = [rows(run)[0]["loss"] for run in (plain, mixed, flag)]
    assert losses[0] != losses[1] == losses[2]
