"""The network that tells actions and noise apart: convolutions over time, conditioned on what is observed.

Tensors are `(B, C, T)`: batch, channels, time.

Source: Janner et al. 2022, arXiv:2205.09991 (a U-Net over time); Perez et al. 2017, arXiv:1709.07871 (FiLM); Chi et al.
2023, arXiv:2303.04137, section III. Parameter names are those of huggingface/lerobot.
"""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lerobot.diffusion.config import FINAL_GROUPS, DiffusionConfig
from lerobot.policies.denoising.noise import LevelCode
from lerobot.policies.networks.blocks import RecomputingNetwork


class ConvolutionBlock(nn.Module):
    """Convolution, normalisation over groups of channels, activation.

    Args:
        inputs: channels.
        outputs: channels.
        kernel_size: odd.
        groups: of the normalisation.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int, groups: int) -> None:
        super().__init__()
        convolution = nn.Conv1d(inputs, outputs, kernel_size, padding=kernel_size // 2)
        self.block = nn.Sequential(convolution, nn.GroupNorm(groups, outputs), nn.Mish())

    def forward(self, signal: Tensor) -> Tensor:
        """Map `(B, C, T)` to `(B, C', T)`."""
        result: Tensor = self.block(signal)
        return result


class ResidualBlock(nn.Module):
    """Two convolution blocks around a shortcut; between them, the condition shifts and scales each channel.

    Args:
        config: kernel size, groups, and whether there is a scale.
        inputs: channels.
        outputs: channels.
        condition: numbers of the condition.
    """

    def __init__(self, config: DiffusionConfig, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        # In the published order: saved optimizer states know parameters only by their place.
        self.conv1 = ConvolutionBlock(inputs, outputs, config.kernel_size, config.n_groups)
        self.cond_encoder = nn.Sequential(
            nn.Mish(), nn.Linear(condition, outputs * (2 if config.use_film_scale_modulation else 1))
        )
        self.conv2 = ConvolutionBlock(outputs, outputs, config.kernel_size, config.n_groups)
        self.residual_conv = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self._with_scale = config.use_film_scale_modulation

    def forward(self, signal: Tensor, condition: Tensor) -> Tensor:
        """Map `(B, C, T)` to `(B, C', T)`, given `(B, Dc)`."""
        features = self.conv1(signal)
        change = self.cond_encoder(condition).unsqueeze(-1)
        if self._with_scale:
            # The factor is not one plus the scale, as elsewhere, but the scale.
            scale, shift = change.chunk(2, dim=1)
            features = scale * features + shift
        else:
            features = features + change
        result: Tensor = self.conv2(features) + self.residual_conv(signal)
        return result


class UNet(RecomputingNetwork):
    """Noisy actions to what there is in them: the noise, or the actions.

    Args:
        config: sizes.
        actions: numbers of an action.
        observed: numbers observed, of all steps together.
    """

    def __init__(self, config: DiffusionConfig, actions: int, observed: int) -> None:
        super().__init__()
        code = config.diffusion_step_embed_dim
        self.diffusion_step_encoder = nn.Sequential(
            LevelCode(code), nn.Linear(code, 4 * code), nn.Mish(), nn.Linear(4 * code, code)
        )

        def stage(inputs: int, outputs: int, then: nn.Module) -> nn.ModuleList:
            first = ResidualBlock(config, inputs, outputs, code + observed)
            return nn.ModuleList([first, ResidualBlock(config, outputs, outputs, code + observed), then])

        widths, deepest = config.down_dims, config.down_dims[-1]
        inputs = (actions, *widths[:-1])
        self.down_modules = nn.ModuleList(
            stage(size, width, nn.Conv1d(width, width, 3, stride=2, padding=1))
            for size, width in zip(inputs[:-1], widths[:-1], strict=True)
        )
        self.down_modules.append(stage(inputs[-1], deepest, nn.Identity()))
        self.mid_modules = nn.ModuleList(ResidualBlock(config, deepest, deepest, code + observed) for _ in range(2))
        # As many stages up as there are strides down; the features of the first stage are not looked at again.
        self.up_modules = nn.ModuleList(
            stage(2 * size, width, nn.ConvTranspose1d(width, width, 4, stride=2, padding=1))
            for size, width in zip(reversed(widths[1:]), reversed(widths[:-1]), strict=True)
        )
        self.final_conv = nn.Sequential(
            ConvolutionBlock(widths[0], widths[0], config.kernel_size, FINAL_GROUPS),
            nn.Conv1d(widths[0], actions, 1),
        )
        self.recomputes = config.gradient_checkpointing

    def forward(self, noisy: Tensor, levels: Tensor, observed: Tensor) -> Tensor:
        """Look at noisy actions.

        Args:
            noisy: `(B, T, Da)`.
            levels: of noise, `(B,)` int64.
            observed: `(B, Do)`.

        Returns:
            `(B, T, Da)`.
        """
        condition = torch.cat([self.diffusion_step_encoder(levels), observed], dim=-1)
        signal, passed = noisy.transpose(1, 2), []
        for stage in self.down_modules:
            first, second, shorten = stage.children()
            signal = self._run(second, self._run(first, signal, condition), condition)
            passed.append(signal)
            signal = shorten(signal)
        for block in self.mid_modules:
            signal = self._run(block, signal, condition)
        for stage in self.up_modules:
            first, second, lengthen = stage.children()
            signal = torch.cat((signal, passed.pop()), dim=1)
            signal = lengthen(self._run(second, self._run(first, signal, condition), condition))
        result: Tensor = self.final_conv(signal).transpose(1, 2)
        return result

    def _run(self, block: nn.Module, signal: Tensor, condition: Tensor) -> Tensor:
        if self.recomputes and self.training:
            found: Tensor = checkpoint(block, signal, condition, use_reentrant=False)
        else:
            found = block(signal, condition)
        return found
