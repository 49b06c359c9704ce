"""Learning rate schedules: factors of the base rate by step, counted in batches.

Source:
    The published formulas of diffusers' schedules and of openpi's warm-up and decay; Smith and Topin 2017,
    arXiv:1708.07120 (one cycle), without changing momentum, as torch has it.
"""

import math
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lerobot.training.optim.config import (
    ConstantWithWarmupConfig,
    CosineAnnealingWithWarmupConfig,
    CosineDecayWithWarmupConfig,
    DiffuserSchedulerConfig,
    OneCycleConfig,
)


def diffuser(config: DiffuserSchedulerConfig, *, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """The schedule of diffusers that `name` says."""
    warmup = config.num_warmup_steps or 0
    match config.name:
        case "cosine":
            return LambdaLR(optimizer, partial(_cosine, warmup=warmup, total=total_steps))
        case "linear":
            return LambdaLR(optimizer, partial(_linear, warmup=warmup, total=total_steps))
        case "constant_with_warmup":
            return LambdaLR(optimizer, partial(_constant, warmup=warmup))
        case "constant":
            return LambdaLR(optimizer, partial(_constant, warmup=0))


def constant_with_warmup(config: ConstantWithWarmupConfig, *, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """Linear warm-up, then constant, however long the run is."""
    del total_steps
    return LambdaLR(optimizer, partial(_constant, warmup=config.num_warmup_steps))


def cosine_annealing_with_warmup(
    config: CosineAnnealingWithWarmupConfig, *, optimizer: Optimizer, total_steps: int
) -> LambdaLR:
    """Linear warm-up, then half a cosine down to zero at the end of the run."""
    return LambdaLR(optimizer, partial(_cosine, warmup=config.num_warmup_steps, total=total_steps))


def cosine_decay_with_warmup(
    config: CosineDecayWithWarmupConfig, *, optimizer: Optimizer, total_steps: int
) -> LambdaLR:
    """Warm-up from above zero, then a cosine down to a floor."""
    warmup, decay = config.num_warmup_steps, config.num_decay_steps
    if total_steps < decay:
        warmup, decay = int(warmup * total_steps / decay), total_steps
    floor = config.decay_lr / config.peak_lr
    return LambdaLR(optimizer, partial(_decay, warmup=warmup, decay=decay, floor=floor))


def one_cycle(config: OneCycleConfig, *, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """From a small rate up to the optimizer's, and down to a smaller one at the last batch of the run."""
    start = 1 / config.div_factor
    peak = config.pct_start * total_steps - 1
    factor = partial(_cycle, peak=peak, last=total_steps - 1, start=start, end=start / config.final_div_factor)
    return LambdaLR(optimizer, factor)


def _cycle(step: int, *, peak: float, last: int, start: float, end: float) -> float:
    if step <= peak:
        return _between(start, 1.0, step / peak)
    return _between(1.0, end, min(1.0, (step - peak) / max(1e-9, last - peak)))


def _between(first: float, second: float, progress: float) -> float:
    """From the one to the other by half a cosine."""
    return second + (first - second) * 0.5 * (1 + math.cos(math.pi * progress))


def _constant(step: int, *, warmup: int) -> float:
    return step / warmup if step < warmup else 1.0


def _linear(step: int, *, warmup: int, total: int) -> float:
    if step < warmup:
        return step / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def _cosine(step: int, *, warmup: int, total: int) -> float:
    if step < warmup:
        return step / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return max(0.0, 0.5 * (1 + math.cos(math.pi * progress)))


def _decay(step: int, *, warmup: int, decay: int, floor: float) -> float:
    if step < warmup:
        start = 1 / (warmup + 1)
        return start + (1 - start) * max(step, 0) / warmup
    wave = 0.5 * (1 + math.cos(math.pi * min(step, decay) / decay))
    return (1 - floor) * wave + floor
