"""Learning rate schedules: factors of the base rate by step."""

import math
from collections.abc import Callable
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lerobot.training.optim.config import (
    ConstantWithWarmupConfig,
    CosineAnnealingWithWarmupConfig,
    CosineDecayWithWarmupConfig,
    DiffuserSchedulerConfig,
    SchedulerConfig,
    VQBeTSchedulerConfig,
)

Factor = Callable[[int], float]


def make_scheduler(config: SchedulerConfig, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """Make a scheduler that is stepped with every batch.

    Args:
        config: the schedule.
        optimizer: whose rates it sets.
        total_steps: length of the run.
    """
    return LambdaLR(optimizer, factor(config, total_steps))


def factor(config: SchedulerConfig, total_steps: int) -> Factor:
    """The factor of the base rate, by step from 0.

    Source:
        The published formulas of diffusers' schedules and of openpi's warm-up and decay.
    """
    match config:
        case DiffuserSchedulerConfig():
            return _diffuser(config, total_steps)
        case VQBeTSchedulerConfig():
            return partial(
                _vqbet,
                codebook=config.num_vqvae_training_steps,
                warmup=config.num_warmup_steps,
                cycles=config.num_cycles,
                total=total_steps,
            )
        case ConstantWithWarmupConfig():
            return partial(_constant, warmup=config.num_warmup_steps)
        case CosineAnnealingWithWarmupConfig():
            return partial(_cosine, warmup=config.num_warmup_steps, total=total_steps)
        case CosineDecayWithWarmupConfig():
            return _decay(config, total_steps)


def _diffuser(config: DiffuserSchedulerConfig, total: int) -> Factor:
    warmup = config.num_warmup_steps or 0
    match config.name:
        case "cosine":
            return partial(_cosine, warmup=warmup, total=total)
        case "linear":
            return partial(_linear, warmup=warmup, total=total)
        case "constant_with_warmup":
            return partial(_constant, warmup=warmup)
        case "constant":
            return partial(_constant, warmup=0)


def _constant(step: int, *, warmup: int) -> float:
    return step / warmup if step < warmup else 1.0


def _linear(step: int, *, warmup: int, total: int) -> float:
    if step < warmup:
        return step / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def _cosine(step: int, *, warmup: int, total: int, cycles: float = 0.5) -> float:
    if step < warmup:
        return step / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return max(0.0, 0.5 * (1 + math.cos(math.pi * 2 * cycles * progress)))


def _vqbet(step: int, *, codebook: int, warmup: int, cycles: float, total: int) -> float:
    # The wave's length is that of the whole run, as published, not of what is left of it after the codebook.
    return 1.0 if step < codebook else _cosine(step - codebook, warmup=warmup, total=total, cycles=cycles)


def _decay(config: CosineDecayWithWarmupConfig, total: int) -> Factor:
    warmup, decay = config.num_warmup_steps, config.num_decay_steps
    if total < decay:
        warmup, decay = int(warmup * total / decay), total
    floor = config.decay_lr / config.peak_lr

    def at(step: int) -> float:
        if step < warmup:
            start = 1 / (warmup + 1)
            return start + (1 - start) * max(step, 0) / warmup
        wave = 0.5 * (1 + math.cos(math.pi * min(step, decay) / decay))
        return (1 - floor) * wave + floor

    return at
