"""Linear layers and attention whose matrix products are those of oneDNN where it is faster than MKL, torch's choice.

On processors that are not Intel's, MKL keeps to AVX2, and oneDNN uses AVX-512 wherever there is some: on an AMD EPYC it
takes half the time, forwards and backwards. On an Intel Xeon MKL is faster by an eighth, but not of few rows by large
weights, which are hardly more than to read the weights: there oneDNN takes a third less, and half where it has AVX-512
and the weights are in its own order. On GPUs, in mixed precision, where a network is exported, and where torch has no
oneDNN, the layers are those of torch.
"""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.packing import PackedWeight

_MANY_ROWS, _LARGE_WEIGHT = 16, 2**20
# On Intel's processors, of rows by a large weight; MKL takes no longer for two than for one.
_FEW_ROWS, _PACKED_ROWS = range(3, 65), range(3, 9)


class Linear(nn.Linear):
    """`torch.nn.Linear`, faster on many CPUs."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Map `(..., inputs)` to `(..., outputs)`."""
        return linear(input, self.weight, self.bias)


class Attention(nn.Module):
    """Attention of many heads, with the parameters and the random numbers of `torch.nn.MultiheadAttention`.

    Tokens are `(N, B, D)`.

    Args:
        width: `D`.
        heads: attention heads.
        dropout: share of attention weights dropped while training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self._width, self._heads, self._dropout = width, heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None = None) -> Tensor:
        """Look at values by how their keys fit the queries.

        Args:
            query: `(T, B, D)`.
            key: `(N, B, D)`; the query itself where tokens look at each other.
            value: `(N, B, D)`.
            padding: `(B, N)` bool, true where a token is not to be looked at.

        Returns:
            `(T, B, D)`.
        """
        weight, bias, width = self.in_proj_weight, self.in_proj_bias, self._width
        if query is key:
            queries, keys = linear(query, weight[: 2 * width], bias[: 2 * width]).chunk(2, dim=-1)
        else:
            queries = linear(query, weight[:width], bias[:width])
            keys = linear(key, weight[width : 2 * width], bias[width : 2 * width])
        values = linear(value, weight[2 * width :], bias[2 * width :])
        attended = F.scaled_dot_product_attention(
            self._split(queries),
            self._split(keys),
            self._split(values),
            attn_mask=None if padding is None else ~padding[:, None, None, :],
            dropout_p=self._dropout if self.training else 0.0,
        )
        joined = attended.permute(2, 0, 1, 3).flatten(2)
        result: Tensor = self.out_proj(joined)
        return result

    def _split(self, tokens: Tensor) -> Tensor:
        """Split `(N, B, D)` into `(B, heads, N, D / heads)`."""
        return tokens.view(*tokens.shape[:-1], self._heads, -1).permute(1, 2, 0, 3)


def linear(tokens: Tensor, weight: Tensor, bias: Tensor | None, packed: PackedWeight | None = None) -> Tensor:
    """Multiply by a weight and add a bias.

    Args:
        tokens: `(..., I)`.
        weight: `(O, I)`.
        bias: `(O,)`.
        packed: where to keep a copy of the weight in oneDNN's own order, while nothing is learned; it takes as much
            memory as the weight.

    Returns:
        `(..., O)`, that of `torch.nn.functional.linear` but for rounding.
    """
    # First, for what is exported must not depend on the size of the batch.
    if not left_to_onednn(tokens, weight) or not _there():
        return F.linear(tokens, weight, bias)
    count, large, learning = tokens.shape[:-1].numel(), weight.numel() >= _LARGE_WEIGHT, torch.is_grad_enabled()
    if packed is not None and learning:
        packed.forget()
    if not (large and count in _FEW_ROWS if _intel() else count >= _MANY_ROWS and _wide()):
        return F.linear(tokens, weight, bias)
    rows = tokens.reshape(-1, tokens.shape[-1])
    if learning:
        product: Tensor = _Product.apply(rows, weight, bias)
    elif packed is not None and count in _PACKED_ROWS and _wide():
        product = _multiply(rows, packed.of(weight), bias)
    else:
        product = _product(rows, weight, bias)
    return product.view(*tokens.shape[:-1], -1)


def left_to_onednn(inputs: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN may be called by hand: `float32` on a CPU, neither exported nor in mixed precision."""
    return (
        not torch.compiler.is_compiling()
        and inputs.device.type == "cpu"
        and inputs.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call] # torch declares no types for it
    )


@cache
def _there() -> bool:
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def _wide() -> bool:
    return torch.backends.cpu.get_cpu_capability() == "AVX512"


@cache
def _intel() -> bool:
    told = Path("/proc/cpuinfo")
    return "GenuineIntel" in (told.read_text() if told.exists() else platform.processor())


def _multiply(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """`left @ right.T + bias`, by the operator that torch's own compiler uses."""
    # The right one may lie in any order: oneDNN brings it into its own, and faster than torch into a row.
    product: Tensor = torch.ops.mkldnn._linear_pointwise(left.contiguous(), right, bias, "none", [], "")
    return product


def _product(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if not _intel():
        return _multiply(tokens, weight, bias)
    # The larger one on the left, which is read in its own order.
    product = _multiply(weight, tokens)
    return (product if bias is None else product.add_(bias[:, None])).T


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(tokens, weight)
        return _product(tokens, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,), (tokens, weight) = gradients, ctx.saved_tensors
        wanted_tokens, wanted_weight, wanted_bias = ctx.needs_input_grad
        return (
            _multiply(gradient, weight.T) if wanted_tokens else None,
            _multiply(gradient.T, tokens.T) if wanted_weight else None,
            gradient.sum(0) if wanted_bias else None,
        )
