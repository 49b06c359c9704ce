"""The learning rate of VQ-BeT's two phases."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lerobot.vqbet.config import VQBeTSchedulerConfig


def make_schedule(config: VQBeTSchedulerConfig, *, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """The full rate while codes are learned, then a linear warm-up and a cosine.

    Source:
        The published schedule. Its wave is as long as the whole run, not as what is left of it after the codes.
    """
    warmup = config.num_warmup_steps

    def factor(step: int) -> float:
        step -= config.num_vqvae_training_steps
        if step < 0:
            return 1.0
        if step < warmup:
            return step / warmup
        progress = (step - warmup) / max(1, total_steps - warmup)
        return max(0.0, 0.5 * (1 + math.cos(math.pi * 2 * config.num_cycles * progress)))

    return LambdaLR(optimizer, factor)
