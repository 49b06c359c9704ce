"""Twins of torch's layers, faster on many CPUs. They are made by `accelerate` alone, and have no state of their own."""

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.acceleration.product import plain, product

_LARGE_WEIGHT, _MANY_STEPS = 2**20, 1024


class FastLinear(nn.Linear):
    """`torch.nn.Linear`, multiplied by the faster library."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(..., inputs)` to `(..., outputs)`."""
        return product(input, self.weight, self.bias)


class FastConv1d(nn.Conv1d):
    """`torch.nn.Conv1d`, one product of matrices where the signal is short and the weights are large.

    The kernels for convolutions bring all weights into another order at every call, which takes longer than that.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(B, C, T)` to `(B, C', T')`."""
        if not self._is_product(input):
            return super().forward(input)
        size, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        seen = F.pad(input, (padding, padding)).unfold(2, size, stride).transpose(1, 2).flatten(2)
        return product(seen, self.weight.flatten(1), self.bias).transpose(1, 2).contiguous()

    def _is_product(self, signal: Tensor) -> bool:
        return (
            plain(signal, self.weight)
            and signal.ndim == 3
            and signal.shape[0] * signal.shape[2] <= _MANY_STEPS
            and self.weight.numel() >= _LARGE_WEIGHT
            and self.groups == 1
            and self.dilation == (1,)
            and self.padding_mode == "zeros"
            and not isinstance(self.padding, str)
        )
