"""Convolution and pooling of pictures with the numbers of torch's, without what makes those slow on a CPU."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, which convolves one small picture at half the speed of the first of two."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(B, C, H, W)` to `(B, C', H', W')`."""
        padding = self.padding
        if isinstance(padding, str) or not self._alone(input):
            return super().forward(input)
        # What torch itself calls for two pictures: one among others has the same numbers as one alone.
        convolved: Tensor = torch.mkldnn_convolution(
            input, self.weight, self.bias, padding, self.stride, self.dilation, self.groups
        )
        return convolved

    def _alone(self, pictures: Tensor) -> bool:
        return (
            not torch.compiler.is_compiling()
            and pictures.device.type == "cpu"
            and pictures.shape[0] == 1
            and pictures.dtype == self.weight.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            # Products of matrices, which torch does not give to oneDNN for few pictures either.
            and self.kernel_size != (1, 1)
            and self.padding_mode == "zeros"
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call] # torch declares no types for it
        )


class MaxPool2d(nn.MaxPool2d):
    """`torch.nn.MaxPool2d`, which on a CPU takes ten times as long for channels that are not last."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(B, C, H, W)` to `(B, C, H', W')`."""
        fast = input.device.type != "cpu" or not input.is_contiguous()
        if fast or self.return_indices or torch.compiler.is_compiling():
            own: Tensor = super().forward(input)
            return own
        window = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        pooled: Tensor = _ChannelsLastPool.apply(input, *window)
        return pooled


class _ChannelsLastPool(torch.autograd.Function):
    """Pools with channels last. Backwards they stay where they are: there torch is as fast, and nothing is copied."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, *window: Any) -> Tensor:
        pooled, places = F.max_pool2d_with_indices(pictures.contiguous(memory_format=torch.channels_last), *window)
        ctx.save_for_backward(places.contiguous())
        ctx.shape, ctx.window = pictures.shape, window
        return pooled.contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        # Of the pictures only the shape counts.
        pictures = gradients[0].new_empty(ctx.shape)
        gradient: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradients[0].contiguous(), pictures, *ctx.window, places
        )
        return gradient, *(None for _ in ctx.window)
