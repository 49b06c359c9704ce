"""Products with weights, by oneDNN where it is faster than MKL, torch's choice.

On processors that are not Intel's, MKL keeps to AVX2, and oneDNN uses AVX-512 wherever there is some: on an AMD EPYC it
takes half the time, forwards and backwards. On an Intel Xeon MKL is faster by an eighth, but not of few rows by large
weights, which are hardly more than to read the weights: there oneDNN takes a third less.
"""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

_MANY_ROWS, _LARGE_WEIGHT = 16, 2**20
# On Intel's processors, of rows by a large weight; MKL takes no longer for two than for one.
_FEW_ROWS = range(3, 65)


def product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply by a weight and add a bias.

    Args:
        rows: `(..., I)`.
        weight: `(O, I)`.
        bias: `(O,)`.

    Returns:
        `(..., O)`, that of `torch.nn.functional.linear` but for rounding.
    """
    # The first question comes first: what is exported must not depend on the size of the batch.
    if not plain(rows, weight) or not _is_there() or not _is_faster(rows.shape[:-1].numel(), weight.numel()):
        return F.linear(rows, weight, bias)
    flat = rows.reshape(-1, rows.shape[-1])
    multiply = _Product.apply if torch.is_grad_enabled() else _product
    found: Tensor = multiply(flat, weight, bias)
    return found.view(*rows.shape[:-1], -1)


def plain(inputs: Tensor, weight: Tensor) -> bool:
    """Whether a layer may choose its function by hand: `float32` on a CPU, neither traced nor in mixed precision."""
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call] # of torch
        and inputs.device.type == "cpu"
        and inputs.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
    )


@cache
def _is_there() -> bool:
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call] # torch declares no types for it
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _is_faster(rows: int, weight: int) -> bool:
    """Whether oneDNN is faster than MKL, of so many rows by a weight of so many numbers."""
    return weight >= _LARGE_WEIGHT and rows in _FEW_ROWS if _is_intel() else rows >= _MANY_ROWS and _has_avx512()


@cache
def _has_avx512() -> bool:
    return torch.backends.cpu.get_cpu_capability() == "AVX512"


@cache
def _is_intel() -> bool:
    told = Path("/proc/cpuinfo")
    return "GenuineIntel" in (told.read_text() if told.exists() else platform.processor())


def _multiply(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """`left @ right.T + bias`, by the operator that torch's own compiler uses."""
    # The right one may lie in any order: oneDNN brings it into its own, and faster than torch into a row.
    found: Tensor = torch.ops.mkldnn._linear_pointwise(left.contiguous(), right, bias, "none", [], "")
    return found


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if not _is_intel():
        return _multiply(rows, weight, bias)
    # The larger one on the left, which is read in its own order. Dropout draws in the order of memory: it is torch's.
    found = _multiply(weight, rows)
    return (found if bias is None else found.add_(bias[:, None])).T.contiguous()


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,), (rows, weight) = gradients, ctx.saved_tensors
        wanted_rows, wanted_weight, wanted_bias = ctx.needs_input_grad
        return (
            _multiply(gradient, weight.T) if wanted_rows else None,
            _multiply(gradient.T, rows.T) if wanted_weight else None,
            gradient.sum(0) if wanted_bias else None,
        )
