"""Noise: how it is added to actions level by level, and taken away again.

Written here because the library that has it, diffusers, takes longer to import than torch, for fifty lines of
arithmetic. Results are those of its `DDPMScheduler` and `DDIMScheduler`.

Source: Ho et al. 2020, arXiv:2006.11239 (DDPM); Song et al. 2020, arXiv:2010.02502 (DDIM); Nichol and Dhariwal 2021,
arXiv:2102.09672 (cosine schedule).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lerobot.policies.denoising.config import DenoisingConfig
from lerobot.policies.rtc.guidance import Guidance

Denoise = Callable[[Tensor, Tensor], Tensor]
"""From noisy actions `(B, T, Da)` and their level `(B,)` int64 to what the network predicts, `(B, T, Da)`."""

_SMALLEST_VARIANCE = 1e-20


def noise_steps(config: DenoisingConfig) -> Tensor:
    """The share of noise each level adds to the one before: beta, `(N,)` float32."""
    levels, low, high = config.num_train_timesteps, config.beta_start, config.beta_end
    if config.beta_schedule == "linear":
        return torch.linspace(low, high, levels, device="cpu")
    if config.beta_schedule == "scaled_linear":
        return torch.linspace(low**0.5, high**0.5, levels, device="cpu").square()

    def signal(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

    steps = [min(1 - signal((level + 1) / levels) / signal(level / levels), 0.999) for level in range(levels)]
    return torch.tensor(steps, device="cpu")


class LevelCode(nn.Module):
    """Numbers to sines and cosines of growing wavelength.

    Args:
        width: numbers of a code.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self._half = width // 2

    def forward(self, levels: Tensor) -> Tensor:
        """Map `(B,)` int64 to `(B, width)`: all sines, then all cosines."""
        step = -math.log(10000) / (self._half - 1)
        angle = levels[:, None] * torch.exp(torch.arange(self._half, device=levels.device) * step)
        return torch.cat((angle.sin(), angle.cos()), dim=-1)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of noise on the way down.

    Shares are `float32` scalars on the CPU: their ratios are close to 1, so that rounding is a part of the result.

    Attributes:
        number: 0 for the least noise.
        kept: share of signal in the squared amplitude at this level: alpha bar.
        kept_below: the same at the level visited next; 1 without noise.
    """

    number: int
    kept: Tensor
    kept_below: Tensor


class NoiseSchedule(nn.Module):
    """Levels of noise.

    Args:
        config: how many levels there are, which of them are visited, and how noise is taken away.
    """

    kept: Tensor

    def __init__(self, config: DenoisingConfig) -> None:
        super().__init__()
        self.config = config
        kept = torch.cumprod(1 - noise_steps(config), dim=0)
        # In no checkpoint: it follows from the configuration.
        self.register_buffer("kept", kept, persistent=False)
        visited = config.num_inference_steps or config.num_train_timesteps
        stride = config.num_train_timesteps // visited
        self.levels = [
            Level(number, kept[number], kept[number - stride] if number >= stride else torch.ones((), device="cpu"))
            for number in range((visited - 1) * stride, -1, -stride)
        ]

    def add(self, actions: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
        """Mix actions with noise.

        Args:
            actions: `(B, T, Da)`.
            noise: `(B, T, Da)`.
            levels: `(B,)` int64.
        """
        kept = self.kept[levels].view(-1, 1, 1)
        return kept.sqrt() * actions + (1 - kept).sqrt() * noise

    @property
    def draws(self) -> int:
        """How often noise is drawn on the way down, the one it begins with included."""
        return len(self.levels) if self.config.noise_scheduler_type == "DDPM" else 1

    def remove(
        self, noisy: Tensor, denoise: Denoise, guidance: Guidance | None = None, added: Tensor | None = None
    ) -> Tensor:
        """Go down all levels.

        Args:
            noisy: noise `(B, T, Da)`.
            denoise: the network.
            guidance: pulls the actions towards those of another chunk; None for none.
            added: noise that DDPM adds on the way, `(B, draws - 1, T, Da)`; None to draw it.

        Returns:
            Actions `(B, T, Da)`.
        """
        for index, level in enumerate(self.levels):
            actions, noise = self._parts(noisy, denoise, level, guidance)
            if self.config.noise_scheduler_type == "DDIM":
                noisy = self._descend_ddim(actions, noise, level)
                continue
            noisy, spread = self._descend_ddpm(noisy, actions, level)
            if level.number:
                noisy = noisy + spread * (torch.randn_like(noisy) if added is None else added[:, index])
        return noisy

    def _parts(self, noisy: Tensor, denoise: Denoise, level: Level, guidance: Guidance | None) -> tuple[Tensor, Tensor]:
        """Actions and noise, as far as the network can tell."""
        numbers = torch.full(noisy.shape[:1], level.number, device=noisy.device)

        def predict(noisy: Tensor) -> tuple[Tensor, Tensor]:
            predicted = denoise(noisy, numbers)
            return predicted, self._actions(noisy, predicted, level)

        if guidance is None:
            predicted, actions = predict(noisy)
            return actions, self._noise(noisy, predicted, level)
        predicted, change = guidance.change(noisy, level.kept.item(), predict)
        actions, noise = self._actions(noisy, predicted, level), self._noise(noisy, predicted, level)
        guided = self._in_range(actions + change)
        # What the actions gain the noise loses: both still make up what is there.
        return guided, noise - (level.kept / (1 - level.kept)).sqrt() * (guided - actions)

    def _actions(self, noisy: Tensor, predicted: Tensor, level: Level) -> Tensor:
        if self.config.prediction_type == "epsilon":
            predicted = (noisy - (1 - level.kept).sqrt() * predicted) / level.kept.sqrt()
        return self._in_range(predicted)

    def _in_range(self, actions: Tensor) -> Tensor:
        limit = self.config.clip_sample_range
        return actions.clamp(-limit, limit) if self.config.clip_sample else actions

    def _noise(self, noisy: Tensor, predicted: Tensor, level: Level) -> Tensor:
        if self.config.prediction_type == "epsilon":
            return predicted
        return (noisy - level.kept.sqrt() * predicted) / (1 - level.kept).sqrt()

    def _descend_ddpm(self, noisy: Tensor, actions: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of what is at the level below."""
        kept, below = level.kept, level.kept_below
        step = kept / below
        mean = below.sqrt() * (1 - step) / (1 - kept) * actions + step.sqrt() * (1 - below) / (1 - kept) * noisy
        variance = ((1 - below) / (1 - kept) * (1 - step)).clamp(min=_SMALLEST_VARIANCE)
        return mean, variance.sqrt()

    def _descend_ddim(self, actions: Tensor, noise: Tensor, level: Level) -> Tensor:
        return level.kept_below.sqrt() * actions + (1 - level.kept_below).sqrt() * noise
