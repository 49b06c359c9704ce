"""Transformer decoders of language models: Llama, Gemma, Qwen3.

A layer offers its two halves, up to attention and from it on, so that streams of different widths can attend to each
other. Names are those of published checkpoints.

Source: Touvron et al. 2023, arXiv:2302.13971; Gemma team 2024, arXiv:2403.08295; Qwen team 2025, arXiv:2505.09388.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows
from torch.utils.checkpoint import checkpoint

from lerobot.policies.networks.attention import KeyValueCache, Rotary, attend, turned
from lerobot.policies.networks.blocks import RecomputingNetwork
from lerobot.policies.networks.sizes import DecoderSize


def scaled_to_one(x: Tensor, eps: float) -> Tensor:
    """Divide `(..., width)` by the root of its mean square, in float32."""
    x = x.float()
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


class RMSNorm(nn.Module):
    """Llama's: divides by the root of the mean square, then multiplies by a weight, in the wider of the two types.

    Args:
        width: of what is normalised.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `(..., width)`."""
        return self.weight * scaled_to_one(x, self.eps).to(x.dtype)


class GemmaRMSNorm(nn.Module):
    """Gemma's: the weight counts from one, everything is computed in float32 and given in the type that came.

    Args:
        width: of what is normalised.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `(..., width)`."""
        return (scaled_to_one(x, self.eps) * (1.0 + self.weight.float())).to(x.dtype)


def _gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


@dataclass(frozen=True, slots=True)
class DecoderKind:
    """What distinguishes the decoders of language models.

    Attributes:
        norm: makes a normalisation of a width and an eps. One that follows a condition is called with it, and gives
            what it normalised and a factor for what the half of the layer behind it adds.
        activation: of the feed-forward blocks.
        norms_heads: queries and keys are normalised too, head by head.
        exact_scores: queries and keys are multiplied in float32, whatever type they have.
    """

    norm: Callable[[int, float], nn.Module]
    activation: Callable[[Tensor], Tensor]
    norms_heads: bool = False
    exact_scores: bool = True


LLAMA = DecoderKind(RMSNorm, F.silu)
GEMMA = DecoderKind(GemmaRMSNorm, _gelu, exact_scores=False)
QWEN3 = DecoderKind(RMSNorm, F.silu, norms_heads=True)


class Projected(NamedTuple):
    """The first half of a layer.

    Attributes:
        query: `(B, H, L, D)`, not turned yet.
        key: `(B, K, L, D)`, not turned yet.
        value: `(B, K, L, D)`.
        gate: factor of what attention adds, where a condition says one.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    gate: Tensor | None


class SelfAttention(nn.Module):
    """Weights of attention; who attends to what, the layer's user says."""

    def __init__(self, size: DecoderSize, kind: DecoderKind) -> None:
        super().__init__()
        self.head_width = size.head_width
        queries, keys = size.heads * size.head_width, size.key_heads * size.head_width
        self.q_proj = nn.Linear(size.width, queries, bias=False)
        self.k_proj = nn.Linear(size.width, keys, bias=False)
        self.v_proj = nn.Linear(size.width, keys, bias=False)
        self.o_proj = nn.Linear(queries, size.width, bias=False)
        self.q_norm = kind.norm(size.head_width, size.norm_eps) if kind.norms_heads else nn.Identity()
        self.k_norm = kind.norm(size.head_width, size.norm_eps) if kind.norms_heads else nn.Identity()

    def query(self, x: Tensor) -> Tensor:
        """Queries `(B, H, L, D)` of `(B, L, width)`."""
        found: Tensor = self.q_norm(self._heads(self.q_proj, x))
        return found.transpose(1, 2)

    def key(self, x: Tensor) -> Tensor:
        """Keys `(B, K, L, D)` of `(B, L, width)`."""
        found: Tensor = self.k_norm(self._heads(self.k_proj, x))
        return found.transpose(1, 2)

    def value(self, x: Tensor) -> Tensor:
        """Values `(B, K, L, D)` of `(B, L, width)`."""
        return self._heads(self.v_proj, x).transpose(1, 2)

    def _heads(self, projection: nn.Linear, x: Tensor) -> Tensor:
        found: Tensor = projection(x.to(projection.weight.dtype))
        return found.view(*found.shape[:-1], -1, self.head_width)


class GatedMLP(nn.Module):
    """The feed-forward block."""

    def __init__(self, size: DecoderSize, kind: DecoderKind) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size.width, size.hidden, bias=False)
        self.up_proj = nn.Linear(size.width, size.hidden, bias=False)
        self.down_proj = nn.Linear(size.hidden, size.width, bias=False)
        self._activation = kind.activation

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., width)` to the same shape, in the type of the weights."""
        x = x.to(self.up_proj.weight.dtype)
        found: Tensor = self.down_proj(self._activation(self.gate_proj(x)) * self.up_proj(x))
        return found


class DecoderLayer(nn.Module):
    """One layer: attention, then a feed-forward block, each normalised before and added after.

    Args:
        size: widths.
        kind: which language model's.
    """

    def __init__(self, size: DecoderSize, kind: DecoderKind) -> None:
        super().__init__()
        self.self_attn = SelfAttention(size, kind)
        self.mlp = GatedMLP(size, kind)
        self.input_layernorm = kind.norm(size.width, size.norm_eps)
        self.post_attention_layernorm = kind.norm(size.width, size.norm_eps)

    def normed(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Normalise what attention looks at; see `DecoderKind.norm`."""
        return _normed(self.input_layernorm, x, condition)

    def project(self, x: Tensor, condition: Tensor | None = None) -> Projected:
        """Compute queries, keys and values of `(B, L, width)`."""
        normed, gate = self.normed(x, condition)
        attention = self.self_attn
        return Projected(attention.query(normed), attention.key(normed), attention.value(normed), gate)

    def finish(
        self, x: Tensor, attended: Tensor, gate: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Add what attention found, then what the feed-forward block makes of it.

        Args:
            x: `(B, L, width)`, what the layer was given.
            attended: `(B, L, heads * head_width)`, from `attend`.
            gate: from `project`.
            condition: as given to `project`.

        Returns:
            `(B, L, width)` in the type of the layer's weights.
        """
        out: nn.Linear = self.self_attn.o_proj
        x = _added(x, out(attended.to(out.weight.dtype)), gate)
        normed, gate = _normed(self.post_attention_layernorm, x, condition)
        return _added(x, self.mlp(normed), gate)


def _normed(norm: nn.Module, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
    return (norm(x), None) if condition is None else norm(x, condition)


def _added(x: Tensor, more: Tensor, gate: Tensor | None) -> Tensor:
    """The sum, in the type of what is added: that of the weights, which the first input may not have."""
    return (x + (more if gate is None else more * gate)).to(more.dtype)


class Decoder(RecomputingNetwork):
    """A stack of layers, with a table of tokens unless others give the inputs.

    Args:
        size: widths and depth; `vocabulary` 0 for no table.
        kind: which language model's.
    """

    def __init__(self, size: DecoderSize, kind: DecoderKind) -> None:
        super().__init__()
        self.kind = kind
        if size.vocabulary:
            self.embed_tokens = nn.Embedding(size.vocabulary, size.width)
        self.layers = nn.ModuleList(DecoderLayer(size, kind) for _ in range(size.layers))
        self.norm = kind.norm(size.width, size.norm_eps)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    @property
    def stack(self) -> list[DecoderLayer]:
        """The layers."""
        return cast("list[DecoderLayer]", list(self.layers))

    def forward(self, x: Tensor, by: Rotary, mask: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        """Read on.

        Args:
            x: `(B, L, width)`.
            by: of the places of `x`.
            mask: `(B, L, S)` bool; what each sees of what is in the cache and then of `x`.
            cache: of what was read before, to which this is added; an empty one is filled.

        Returns:
            `(B, L, width)`, normalised.
        """
        for index in range(len(self.layers)):
            if self.recomputes and self.training and cache is None:
                x = checkpoint(self._layer, index, x, by, mask, use_reentrant=False)
            else:
                x = self._layer(index, x, by, mask, cache)
        normed: Tensor = self.norm(x)
        return normed

    def _layer(self, index: int, x: Tensor, by: Rotary, mask: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        layer = self.stack[index]
        query, key, value, gate = layer.project(x)
        query, key = turned(query, by), turned(key, by)
        if cache is not None and len(cache) == index:
            cache.append(key, value)
        elif cache is not None:
            key, value = cache.extend(index, key, value)
        return layer.finish(x, attend(query, key, value, mask, exact=self.kind.exact_scores), gate)

    def read(self, x: Tensor, by: Rotary, mask: Tensor) -> KeyValueCache:
        """Give keys and values of `(B, L, width)` alone: what only others will look at needs no end of the last layer.

        Args:
            x: `(B, L, width)`.
            by: of the places of `x`.
            mask: `(B, L, L)` bool.
        """
        cache = KeyValueCache()
        for index, layer in enumerate(self.stack):
            query, key, value, gate = layer.project(x)
            key = turned(key, by)
            cache.append(key, value)
            if index + 1 < len(self.layers):
                attended = attend(turned(query, by), key, value, mask, exact=self.kind.exact_scores)
                x = layer.finish(x, attended, gate)
        return cache
