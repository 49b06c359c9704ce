"""The moving average of the weights."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from lerobot.core.errors import CheckpointError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.training.config import EMAConfig
from lerobot.training.learner.average import WeightAverage

Train, Resume = Callable[..., Path], Callable[..., None]
WEIGHTS = "model.safetensors"


def averaged(config: EMAConfig, values: list[float]) -> list[float]:
    """The average after each of some values of a single weight."""
    module = nn.Linear(1, 1, bias=False)
    average = WeightAverage(config, module)  # type: ignore[arg-type] - any module will do
    found = []
    for value in values:
        nn.init.constant_(module.weight, value)
        average.update(module)  # type: ignore[arg-type]
        found.append(average.policy.weight.item())
        assert module.weight.item() == value
    return found


def test_the_decay_grows_as_published() -> None:
    """1 - (1 + t)^-0.75 of the update after the first, which replaces what the average began with."""
    second = 1 - 2**-0.75
    third = 1 - 3**-0.75
    expected = [1.0, second * 1 + (1 - second) * 2]
    expected.append(third * expected[1] + (1 - third) * 4)
    assert averaged(EMAConfig(), [1.0, 2.0, 4.0]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"decay": 0.5}, [1.0, 1.5, 2.75]),
        ({"max_decay": 0.25}, [1.0, 1.75, 3.4375]),
        ({"min_decay": 0.5, "max_decay": 0.5}, [1.0, 1.5, 2.75]),
        ({"update_after_step": 1, "decay": 0.5}, [1.0, 2.0, 3.0]),
    ],
)
def test_settings_bound_and_delay_it(settings: dict[str, float], expected: list[float]) -> None:
    assert averaged(EMAConfig.model_validate(settings), [1.0, 2.0, 4.0]) == pytest.approx(expected, abs=1e-6)


def test_it_is_saved_beside_the_weights_as_a_policy(train: Train, tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--steps=5", "--ema.enable=true", "--ema.decay=0.5", "--save_freq=1")
    steps = [run / f"checkpoints/{step:06}" for step in range(1, 6)]
    weights = [load_file(step / "pretrained_model" / WEIGHTS) for step in steps]
    for name in weights[0]:
        expected = weights[0][name]
        for later in weights[1:]:
            expected = 0.5 * expected + 0.5 * later[name]
        found = load_file(steps[-1] / "pretrained_model_ema" / WEIGHTS)[name]
        assert torch.allclose(found, expected, atol=1e-6)
        assert not torch.equal(found, weights[-1][name])
    PolicyWithProcessors.from_pretrained(steps[-1] / "pretrained_model_ema")
    state = torch.load(steps[-1] / "training_state/ema_state.pt", weights_only=True)
    names = {"decay", "min_decay", "optimization_step", "update_after_step", "use_ema_warmup", "inv_gamma", "power"}
    assert set(state) == names | {"shadow_params"}
    assert (state["decay"], state["min_decay"], state["optimization_step"]) == (0.5, 0.5, 5)


def test_it_is_what_is_validated(train: Train, tmp_path: Path) -> None:
    flags = ("--steps=6", "--save_freq=0", "--dataset.eval_split=0.3", "--eval_steps=6", "--ema.enable=true")
    losses = []
    for name, more in (("average", ()), ("weights", ("--ema.use_for_eval=false",))):
        run = train(tmp_path / name, *flags, "--ema.decay=0.99", *more)
        with (run / "metrics.csv").open(newline="") as file:
            losses.append([row["validation_loss"] for row in csv.DictReader(file)][-1])
    assert losses[0] != losses[1]


def test_buffers_are_those_of_the_newest_weights() -> None:
    """Means of running means would belong to no weights at all."""
    module = nn.BatchNorm1d(1)
    average = WeightAverage(EMAConfig(decay=0.5), module)  # type: ignore[arg-type]
    for value in (1.0, 2.0):
        module.running_mean.fill_(value)
        average.update(module)  # type: ignore[arg-type]
    assert average.policy.running_mean.item() == 2.0


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_a_damaged_average_is_refused(train: Train, resume: Resume, tmp_path: Path, damage: str) -> None:
    run = train(tmp_path / "run", "--steps=4", "--save_freq=2", "--ema.enable=true")
    path = run / "checkpoints/000002/training_state/ema_state.pt"
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "other":
        torch.save({"optimization_step": 2, "shadow_params": [torch.zeros(1)]}, path)
    with pytest.raises(CheckpointError, match="ema_state" if damage != "other" else "other parameters"):
        resume(run / "checkpoints/000002")
