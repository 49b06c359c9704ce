"""Schedules by their published formulas, optimizers by their groups."""

import json
import math
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.training.checkpoints.optimizer_state import load_optimizer, save_optimizer


def built(fields: dict[str, object], optimizer: torch.optim.Optimizer, total: int) -> LambdaLR:
    config: SchedulerConfig = TypeAdapter(SchedulerConfig).validate_python(fields)
    scheduler = config.build(optimizer=optimizer, total_steps=total)
    assert isinstance(scheduler, LambdaLR)
    return scheduler


def schedule(fields: dict[str, object], total: int) -> "list[float]":
    (factor,) = built(fields, torch.optim.SGD([nn.Parameter(torch.zeros(1))]), total).lr_lambdas
    return [factor(step) for step in range(total + 1)]


def test_warm_up_is_linear_and_cosine_ends_at_zero() -> None:
    for fields in (
        {"type": "diffuser", "num_warmup_steps": 4},
        {"type": "cosine_annealing_with_warmup", "num_warmup_steps": 4},
    ):
        found = schedule(fields, 20)
        assert found[:5] == [0, 0.25, 0.5, 0.75, 1]
        assert found[12] == pytest.approx(0.5)
        assert found[8] == pytest.approx((1 + math.sqrt(0.5)) / 2)
        assert found[20] == pytest.approx(0, abs=1e-12)


def test_linear_and_constant() -> None:
    assert schedule({"type": "diffuser", "name": "linear", "num_warmup_steps": 2}, 6) == [0, 0.5, 1, 0.75, 0.5, 0.25, 0]
    assert schedule({"type": "constant_with_warmup", "num_warmup_steps": 2}, 4) == [0, 0.5, 1, 1, 1]
    assert schedule({"type": "diffuser", "name": "constant_with_warmup", "num_warmup_steps": 2}, 3) == [0, 0.5, 1, 1]
    assert schedule({"type": "diffuser", "name": "constant"}, 3) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("settings", "total"), [({}, 100), ({}, 10), ({"pct_start": 0.5, "div_factor": 10, "final_div_factor": 100}, 33)]
)
@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step:UserWarning")
def test_one_cycle_is_that_of_torch(settings: dict[str, float], total: int) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    reference = OneCycleLR(optimizer, max_lr=0.1, total_steps=total, cycle_momentum=False, **settings)
    expected = []
    for _ in range(total - 1):
        expected.append(reference.get_last_lr()[0])
        reference.step()
    found = [0.1 * factor for factor in schedule({"type": "one_cycle", **settings}, total)]
    assert found[: total - 1] == pytest.approx(expected, rel=1e-6)
    assert found[total - 1] == pytest.approx(reference.get_last_lr()[0], rel=1e-6)
    assert found[total] == pytest.approx(found[total - 1])


def test_one_cycle_of_a_run_of_few_batches_has_rates() -> None:
    assert all(0 < factor <= 1 for total in (1, 2, 3) for factor in schedule({"type": "one_cycle"}, total))


def test_decay_starts_above_zero_and_ends_at_its_floor() -> None:
    fields = {
        "type": "cosine_decay_with_warmup",
        "num_warmup_steps": 4,
        "num_decay_steps": 20,
        "peak_lr": 1e-4,
        "decay_lr": 1e-5,
    }
    found = schedule(fields, 30)
    assert found[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    # Counted from 0, not from the end of the warm-up.
    assert found[10] == pytest.approx(0.55)
    assert found[20:] == pytest.approx([0.1] * 11)
    # A run half as long: warm-up and decay half as long.
    assert schedule(fields, 10)[::1][:3] == pytest.approx(
        [1 / 3, 2 / 3, 0.9 * 0.5 * (1 + math.cos(math.pi * 0.2)) + 0.1]
    )


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "adam", "betas": [0.9, 0.95]}, torch.optim.Adam),
        ({"type": "adamw"}, torch.optim.AdamW),
        ({"type": "sgd", "momentum": 0.9, "nesterov": True}, torch.optim.SGD),
    ],
)
def test_optimizers_take_their_settings(fields: dict[str, object], kind: type) -> None:
    class Policy(nn.Linear):
        def parameter_groups(self) -> list[nn.Parameter]:
            return list(self.parameters())

    config: OptimizerConfig = TypeAdapter(OptimizerConfig).validate_python({**fields, "lr": 0.25, "weight_decay": 0.5})
    optimizer = config.build(policy=Policy(2, 2))
    assert isinstance(optimizer, kind)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.25, 0.5)
    for name in ("betas", "momentum", "nesterov"):
        if name in fields:
            expected = fields[name]
            assert group[name] == (tuple(expected) if isinstance(expected, list) else expected)


def test_the_schedule_sets_the_rate() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=2.0)
    scheduler = built({"type": "constant_with_warmup", "num_warmup_steps": 4}, optimizer, 10)
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == [0, 0.5, 1.0, 1.5, 2.0, 2.0]


def test_moments_come_back_in_the_layout_of_their_weights(tmp_path: Path) -> None:
    """Files have one order of elements, memory may have another, and fused steps look at memory alone."""
    torch.manual_seed(0)
    states = []
    gradients = [torch.randn(4, 3, 5, 5) for _ in range(4)]
    weight = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    for resumed in (False, True):
        parameter = nn.Parameter(weight.clone())
        optimizer = torch.optim.AdamW([parameter], lr=0.1, fused=True)
        for step, gradient in enumerate(gradients):
            if resumed and step == 2:
                save_optimizer(optimizer, tmp_path)
                optimizer = torch.optim.AdamW([parameter], lr=0.1, fused=True)
                load_optimizer(optimizer, tmp_path)
            parameter.grad = gradient.to(memory_format=torch.channels_last)
            optimizer.step()
        states.append(parameter.detach())
    assert torch.equal(*states)


def test_how_steps_are_computed_stays_on_this_computer(tmp_path: Path) -> None:
    """The peer compares every setting of the file with its own and refuses another type."""
    parameter = nn.Parameter(torch.zeros(3))
    fused = torch.optim.AdamW([parameter], fused=True)
    save_optimizer(fused, tmp_path)
    (group,) = json.loads((tmp_path / "optimizer_param_groups.json").read_text())
    assert (group["fused"], group["foreach"]) == (None, None)
    load_optimizer(fused, tmp_path)
    assert fused.param_groups[0]["fused"] is True
