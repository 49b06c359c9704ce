"""BART's encoder, which reads images and text as one sequence; normalised after every block.

Names are those of published checkpoints.

Source: Lewis et al. 2019, arXiv:1910.13461.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.xvla.sizes import TextSize

FIRST_PLACE = 2
"""The first two rows of the table of places stand for nothing."""


class Attention(nn.Module):
    """Attention of every token to every other."""

    def __init__(self, size: TextSize) -> None:
        super().__init__()
        width = size.d_model
        self.heads, self.dropout = size.encoder_attention_heads, size.attention_dropout
        self.k_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.q_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        query, key, value = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        found: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return found


class Layer(nn.Module):
    """Attention, then a feed-forward block."""

    def __init__(self, size: TextSize) -> None:
        super().__init__()
        self._size = size
        self.self_attn, self.self_attn_layer_norm = Attention(size), nn.LayerNorm(size.d_model)
        self.fc1 = nn.Linear(size.d_model, size.encoder_ffn_dim)
        self.fc2 = nn.Linear(size.encoder_ffn_dim, size.d_model)
        self.final_layer_norm = nn.LayerNorm(size.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        x = self.self_attn_layer_norm(x + self._dropped(self.self_attn(x), self._size.dropout))
        inner = self._dropped(F.gelu(self.fc1(x)), self._size.activation_dropout)
        found: Tensor = self.final_layer_norm(x + self._dropped(self.fc2(inner), self._size.dropout))
        return found

    def _dropped(self, x: Tensor, rate: float) -> Tensor:
        return F.dropout(x, rate, self.training)


class Encoder(nn.Module):
    """The encoder; embedded tokens come from outside."""

    def __init__(self, size: TextSize, embed_tokens: nn.Embedding) -> None:
        super().__init__()
        self._size = size
        self.embed_tokens = embed_tokens
        self.embed_positions = nn.Embedding(size.max_position_embeddings + FIRST_PLACE, size.d_model)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.encoder_layers))
        self.layernorm_embedding = nn.LayerNorm(size.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        places = self.embed_positions.weight[FIRST_PLACE : FIRST_PLACE + x.shape[1]]
        x = F.dropout(self.layernorm_embedding(x + places), self._size.dropout, self.training)
        for layer in self.layers:
            if not self.training or torch.rand([]) >= self._size.encoder_layerdrop:
                x = layer(x)
        return x


class LanguageModel(nn.Module):
    """The encoder, and the table of tokens under its two names."""

    def __init__(self, size: TextSize) -> None:
        super().__init__()
        self.shared = nn.Embedding(size.vocab_size, size.d_model, size.pad_token_id)
        self.encoder = Encoder(size, self.shared)
