"""The schedule by its published formula, found by its name."""

import math

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from lerobot.core.config.base import SchedulerConfig


def test_the_rate_waits_for_the_codes() -> None:
    fields = {"type": "vqbet", "num_warmup_steps": 2, "num_vqvae_training_steps": 3}
    config: SchedulerConfig = TypeAdapter(SchedulerConfig).validate_python(fields)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    (factor,) = config.build(optimizer=optimizer, total_steps=10).lr_lambdas
    found = [factor(step) for step in range(11)]
    assert found[:6] == [1, 1, 1, 0, 0.5, 1]
    # The wave is as long as if it had started at 0: at the end it is 5 of 8 steps through.
    assert found[10] == pytest.approx(0.5 * (1 + math.cos(math.pi * 5 / 8)))
