"""Convolutions over time which on a CPU are matrix products where the signal is short and the weights are large.

The kernels for convolutions bring all weights into another order at every call, which takes longer than the product.
Tensors are `(B, C, T)`: batch, channels, time. Parameters, and results but for rounding, are those of torch.
"""

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.linear import linear
from lerobot.policies.networks.packing import PackedWeight

_LARGE_WEIGHT, _MANY_STEPS, _FEW_STEPS = 2**20, 1024, 64


class Convolution(nn.Conv1d):
    """A convolution that keeps the length, or divides it by its stride.

    Args:
        inputs: channels.
        outputs: channels.
        kernel_size: odd.
        stride: between windows.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel_size, stride=stride, padding=kernel_size // 2)
        self._packed = PackedWeight()

    def forward(self, signal: Tensor) -> Tensor:
        """Map `(B, C, T)` to `(B, C', T / stride)`, rounded up."""
        if not _is_product(signal, self.weight, _MANY_STEPS):
            return super().forward(signal)
        (size,), (stride,) = self.kernel_size, self.stride
        seen = F.pad(signal, (size // 2, size // 2)).unfold(2, size, stride).transpose(1, 2).flatten(2)
        return linear(seen, self.weight.flatten(1), self.bias, self._packed).transpose(1, 2)


class Lengthening(nn.ConvTranspose1d):
    """A transposed convolution that doubles the length.

    Args:
        channels: of the signal, before and after.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 4, stride=2, padding=1)

    def forward(self, signal: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map `(B, C, T)` to `(B, C, 2 T)`."""
        if not _is_product(signal, self.weight, _FEW_STEPS):
            return super().forward(signal, output_size)
        spread = (signal.transpose(1, 2) @ self.weight.flatten(1)).transpose(1, 2)
        lengthened = F.fold(spread, (1, 2 * signal.shape[2]), (1, 4), padding=(0, 1), stride=(1, 2))
        return lengthened.squeeze(2) + self.bias[:, None]  # type: ignore[index] # there is a bias


def _is_product(signal: Tensor, weight: Tensor, steps: int) -> bool:
    few = signal.shape[0] * signal.shape[2] <= steps
    return signal.device.type == "cpu" and weight.numel() >= _LARGE_WEIGHT and few
