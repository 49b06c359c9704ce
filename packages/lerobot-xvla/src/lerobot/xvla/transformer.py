"""The network that finds actions: a transformer whose prompts and projections are those of a domain.

Names are those of published checkpoints.

Source: Zheng et al. 2025, arXiv:2510.10274, section 3.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.xvla.config import XVLAConfig

DROPOUT = 0.1
LONGEST_WAVE = 100


class DomainLinear(nn.Module):
    """A projection of its own for each domain."""

    def __init__(self, inputs: int, outputs: int, domains: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.fc, self.bias = nn.Embedding(domains, outputs * inputs), nn.Embedding(domains, outputs)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, domain: Tensor) -> Tensor:
        """Map `(B, N, inputs)` and domains `(B,)` to `(B, N, outputs)`."""
        weight = self.fc(domain).view(len(domain), self.inputs, -1)
        found: Tensor = x @ weight + self.bias(domain)[:, None]
        return found


class Attention(nn.Module):
    """Attention of every token to every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        dropout = DROPOUT if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        found: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return found


class MLP(nn.Module):
    """The feed-forward block."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        inner = F.dropout(F.gelu(self.fc1(x), approximate="tanh"), DROPOUT, self.training)
        return F.dropout(self.fc2(inner), DROPOUT, self.training)


class Block(nn.Module):
    """Attention, then a feed-forward block, each normalised before."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = Attention(width, heads), MLP(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        x = x + self.attn(self.norm1(x))
        found: Tensor = x + self.mlp(self.norm2(x))
        return found


class SoftPromptedTransformer(nn.Module):
    """Noisy actions, and what was seen, to actions.

    Args:
        config: of the policy.
        actions: numbers of an action.
    """

    def __init__(self, config: XVLAConfig, actions: int) -> None:
        super().__init__()
        self.config = config
        width, domains = config.hidden_size, config.num_domains
        seen = config.florence.vision_config.projection_dim
        hidden = int(width * config.mlp_ratio)
        self.blocks = nn.ModuleList(Block(width, config.num_heads, hidden) for _ in range(config.depth))
        self.vlm_proj, self.aux_visual_proj = (
            DomainLinear(seen, width, domains) if config.use_hetero_proj else nn.Linear(seen, width) for _ in range(2)
        )
        self.pos_emb = nn.Parameter(torch.empty(1, config.max_len_seq, width))
        nn.init.normal_(self.pos_emb, std=0.02)
        self.norm = nn.LayerNorm(width)
        self.action_encoder = DomainLinear(actions + config.dim_time + config.state_width, width, domains)
        self.action_decoder = DomainLinear(width, actions, domains)
        if config.len_soft_prompts:
            self.soft_prompt_hub = nn.Embedding(domains, config.len_soft_prompts * width)
            nn.init.normal_(self.soft_prompt_hub.weight, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def context(self, read: Tensor, views: Tensor, domain: Tensor) -> Tensor:
        """Give the tokens that stay the same while actions are found, those behind them: what was seen, and prompts.

        Args:
            read: image and task, `(B, L, width of Florence-2)`.
            views: other images, `(B, M, width of Florence-2)`.
            domain: `(B,)` int64.

        Raises:
            FeatureMismatchError: there are more tokens than `max_len_seq`.
        """
        given = (domain,) if self.config.use_hetero_proj else ()
        tokens = torch.cat([self.vlm_proj(read, *given), self.aux_visual_proj(views, *given)], dim=1)
        first, last = self.config.chunk_size, self.config.chunk_size + tokens.shape[1]
        if last > self.config.max_len_seq:
            raise FeatureMismatchError(
                f"actions, images and task are {last} tokens, and policy 'xvla' takes {self.config.max_len_seq}",
                expected="smaller images: --policy.resize_imgs_with_padding; or a new policy with a larger max_len_seq",
            )
        tokens = tokens + self.pos_emb[:, first:last]
        if self.config.len_soft_prompts:
            prompts = self.soft_prompt_hub(domain).unflatten(-1, (self.config.len_soft_prompts, -1))
            tokens = torch.cat([tokens, prompts], dim=1)
        return tokens

    def forward(self, actions: Tensor, state: Tensor, time: Tensor, domain: Tensor, context: Tensor) -> Tensor:
        """Find actions.

        Args:
            actions: noisy ones, `(B, T, A)`.
            state: `(B, P)`.
            time: `(B,)`; 1 is noise, 0 are actions.
            domain: `(B,)` int64.
            context: from `context`.

        Returns:
            `(B, T, A)`.
        """
        steps = actions.shape[1]
        same = torch.cat([state, time_waves(time, self.config.dim_time)], dim=-1)[:, None].expand(-1, steps, -1)
        x = self.action_encoder(torch.cat([actions, same], dim=-1), domain) + self.pos_emb[:, :steps]
        x = torch.cat([x, context], dim=1)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.action_decoder(self.norm(x[:, :steps]), domain)
        return found


def time_waves(time: Tensor, width: int) -> Tensor:
    """Describe times `(B,)` by waves, first all cosines, then all sines, in the type of `time`: `(B, width)`."""
    half = width // 2
    steps = torch.arange(half, dtype=time.dtype, device=time.device)
    angles = time[:, None] * torch.exp(-math.log(LONGEST_WAVE) * steps / half)
    return F.pad(torch.cat([angles.cos(), angles.sin()], dim=-1), (0, width % 2))
