"""A transformer in which each token sees those before it.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2), as in karpathy/minGPT;
parameter names are those of huggingface/lerobot.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.vqbet.config import VQBeTConfig

_SPREAD = 0.02


class Attention(nn.Module):
    """Tokens look at themselves and those before them."""

    def __init__(self, config: VQBeTConfig) -> None:
        super().__init__()
        width, longest = config.gpt_hidden_dim, config.gpt_block_size
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.resid_dropout = nn.Dropout(config.dropout)
        # Part of every published checkpoint; what it says, that nobody looks ahead, the function below knows.
        self.register_buffer("bias", torch.ones(longest, longest).tril()[None, None])
        self._heads, self._dropout = config.gpt_n_head, config.dropout

    def forward(self, tokens: Tensor) -> Tensor:
        """Map `(B, N, D)` to `(B, N, D)`."""
        queries, keys, values = (
            part.unflatten(-1, (self._heads, -1)).transpose(1, 2) for part in self.c_attn(tokens).chunk(3, dim=-1)
        )
        dropout = self._dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout, is_causal=True)
        result: Tensor = self.resid_dropout(self.c_proj(attended.transpose(1, 2).flatten(2)))
        return result


class Block(nn.Module):
    """Attention and a feed-forward block, each normalised before and around a shortcut."""

    def __init__(self, config: VQBeTConfig) -> None:
        super().__init__()
        width = config.gpt_hidden_dim
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(config.dropout)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map `(B, N, D)` to `(B, N, D)`."""
        tokens = tokens + self.attn(self.ln_1(tokens))
        result: Tensor = tokens + self.mlp(self.ln_2(tokens))
        return result


class GPT(nn.Module):
    """The transformer.

    Args:
        config: sizes.
    """

    def __init__(self, config: VQBeTConfig) -> None:
        super().__init__()
        width = config.gpt_hidden_dim
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Linear(config.gpt_input_dim, width),
                "wpe": nn.Embedding(config.gpt_block_size, width),
                "drop": nn.Dropout(config.dropout),
                "h": nn.Sequential(*(Block(config) for _ in range(config.gpt_n_layer))),
                "ln_f": nn.LayerNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, config.gpt_output_dim, bias=False)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim > 1:
                # What is added at every layer starts smaller, the more layers there are.
                shrunk = math.sqrt(2 * config.gpt_n_layer) if name.endswith("c_proj.weight") else 1.0
                nn.init.normal_(parameter, std=_SPREAD / shrunk)

    def forward(self, tokens: Tensor, wanted: list[int]) -> Tensor:
        """Map tokens `(B, N, input width)` to what is wanted of them, `(B, len(wanted), output width)`."""
        parts = self.transformer
        positions = parts["wpe"](torch.arange(tokens.shape[1], device=tokens.device))
        tokens = parts["drop"](parts["wte"](tokens) + positions)
        result: Tensor = self.lm_head(parts["ln_f"](parts["h"](tokens)[:, wanted]))
        return result

    def decayed(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Give the parameters whose weights shall decay, those of products, and all others; each sorted by name."""
        named = sorted(self.named_parameters(), key=lambda item: item[0])
        products = {f"{name}.weight" for name, module in self.named_modules() if isinstance(module, nn.Linear)}
        return (
            [parameter for name, parameter in named if name in products],
            [parameter for name, parameter in named if name not in products],
        )
