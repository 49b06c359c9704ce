"""Convolution and pooling of pictures with the numbers of torch's, without what makes those slow on a CPU."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.linear import left_to_onednn, linear


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, which on a CPU is slow for small pictures.

    torch convolves one small picture at half the speed of the first of two. Where pictures have become fewer pixels
    than there are channels, the gradient of the weights takes it twice as long as the product that it is.

    The layout is that of the weights, whatever that of the pictures.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(B, C, H, W)` to `(B, C', H', W')`."""
        padding = self.padding
        if isinstance(padding, str) or self.padding_mode != "zeros" or not left_to_onednn(input, self.weight):
            return super().forward(input)
        last = self.weight.is_contiguous(memory_format=torch.channels_last)
        pictures = input if last else input.contiguous()
        if torch.is_grad_enabled() and self._few(pictures, padding):
            learned: Tensor = _FewPixels.apply(pictures, self.weight, self.bias, self.stride, padding)
            return learned
        # torch multiplies matrices instead where windows are single pixels, of one picture or of several.
        if pictures.shape[0] == 1 and self.kernel_size != (1, 1):
            # What torch itself calls for two pictures: one among others has the same numbers as one alone.
            alone: Tensor = torch.mkldnn_convolution(
                pictures, self.weight, self.bias, padding, self.stride, self.dilation, self.groups
            )
            return alone
        return super().forward(pictures)

    def _few(self, pictures: Tensor, padding: tuple[int, ...]) -> bool:
        """Whether all pictures together have no more pixels in the end than channels."""
        pixels = pictures.shape[0]
        for size, kernel, stride, spare in zip(pictures.shape[2:], self.kernel_size, self.stride, padding, strict=True):
            pixels *= (size + 2 * spare - kernel) // stride + 1
        dense = self.groups == 1 and self.dilation == (1, 1) and self.kernel_size != (1, 1)
        return dense and pixels <= self.out_channels


class _FewPixels(torch.autograd.Function):
    """Convolves as torch does; backwards, the gradient of the weights is one product of matrices."""

    @staticmethod
    def forward(
        ctx: Any, pictures: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, int], padding: Any
    ) -> Tensor:
        ctx.save_for_backward(pictures, weight)
        ctx.stride, ctx.padding = stride, padding
        return torch.mkldnn_convolution(pictures, weight, bias, padding, stride, (1, 1), 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (pictures, weight) = gradients, ctx.saved_tensors
        wanted_pictures, wanted_weight, wanted_bias, *_ = ctx.needs_input_grad
        back = None
        if wanted_pictures:
            back, *_ = torch.ops.aten.convolution_backward(
                *(gradient, pictures, weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), 1),
                (True, False, False),
            )
        return (
            back,
            _of_weight(gradient, pictures, weight, ctx.stride, ctx.padding) if wanted_weight else None,
            gradient.sum((0, 2, 3)) if wanted_bias else None,
            None,
            None,
        )


def _of_weight(
    gradient: Tensor, pictures: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """The gradient of weights `(C', C, K, K)`, from that of the result and the window each of its pixels has seen."""
    (height, width), (down, right) = weight.shape[2:], padding
    padded = F.pad(pictures.permute(0, 2, 3, 1), (0, 0, right, right, down, down))
    windows = padded.unfold(1, height, stride[0]).unfold(2, width, stride[1]).permute(0, 1, 2, 4, 5, 3)
    product = linear(gradient.transpose(0, 1).flatten(1), windows.flatten(3).flatten(0, 2).T, None)
    return product.view(-1, height, width, pictures.shape[1]).permute(0, 3, 1, 2)


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
