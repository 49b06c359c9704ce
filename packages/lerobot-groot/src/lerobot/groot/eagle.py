"""Eagle 2.5: SigLIP, a connector, and the first layers of Qwen3. Module names are those of published checkpoints.

Source: Chen et al. 2025, arXiv:2504.15271; Qwen team 2025, arXiv:2505.09388.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.sizes import EagleSize
from lerobot.policies.networks.attention import frequencies, rotary, turned
from lerobot.policies.networks.decoder import QWEN3, Decoder
from lerobot.policies.networks.vision_transformer import MLP, VisionTransformer, gelu_tanh


class _PoolingHead(nn.Module):
    """What published files have behind SigLIP, and nobody asks."""

    def __init__(self, size: EagleSize) -> None:
        super().__init__()
        width = size.vision.width
        self.probe = nn.Parameter(torch.randn(1, 1, width))
        self.attention = nn.MultiheadAttention(width, size.vision.heads, batch_first=True)
        self.layernorm = nn.LayerNorm(width, 1e-6)
        self.mlp = MLP(width, size.vision.hidden, gelu_tanh)


class _WithPoolingHead(VisionTransformer):
    def __init__(self, size: EagleSize) -> None:
        super().__init__(size.vision)
        self.head = _PoolingHead(size)


class _VisionModel(nn.Module):
    def __init__(self, size: EagleSize) -> None:
        super().__init__()
        self.vision_model = _WithPoolingHead(size)


class _LanguageModel(nn.Module):
    """The decoder, and the head for words, which shares its table and nobody asks."""

    def __init__(self, size: EagleSize) -> None:
        super().__init__()
        self.model = Decoder(size.text, QWEN3)
        self.lm_head = nn.Linear(size.text.width, size.text.vocabulary, bias=False)
        self.lm_head.weight = self.model.embed_tokens.weight


class Eagle(nn.Module):
    """Reads a prompt in which images are."""

    def __init__(self, size: EagleSize) -> None:
        super().__init__()
        self.size = size
        self.vision_model = _VisionModel(size)
        self.language_model = _LanguageModel(size)
        width, told = size.vision.width * (4 if size.pixel_shuffle else 1), size.text.width
        if size.connector_layers == 1:
            self.mlp1 = nn.Sequential(nn.Linear(width, told))
        else:
            self.mlp1 = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, told), nn.GELU(), nn.Linear(told, told))

    def see(self, images: Tensor) -> Tensor:
        """Map images `(N, 3, H, W)` in [-1, 1] to tokens `(N, tokens_per_image, width of text)`."""
        patches = self.vision_model.vision_model(images)
        found: Tensor = self.mlp1(shuffled(patches) if self.size.pixel_shuffle else patches)
        return found

    def forward(self, tokens: Tensor, present: Tensor, images: Tensor) -> Tensor:
        """Read.

        Args:
            tokens: `(B, L)` int64; those of images are in the places of the images' parts, in their order.
            present: `(B, L)` bool; false for padding, which is not seen.
            images: of all rows, one after the other, `(N, 3, H, W)` in [-1, 1].

        Returns:
            `(B, L, width of text)`, normalised.

        Raises:
            FeatureMismatchError: there is another number of images than the tokens say.
        """
        text = self.language_model.model
        embedded = text.embed_tokens(tokens)
        here = tokens == self.size.image_token
        if int(here.sum()) != len(images) * self.size.tokens_per_image:
            raise FeatureMismatchError(
                f"{int(here.sum())} tokens for {len(images)} images",
                expected=f"{self.size.tokens_per_image} each, and none in the task",
            )
        seen = self.see(images).to(embedded.dtype)
        x = embedded.masked_scatter(here[..., None], seen)
        return self._read(text, x, present)

    def _read(self, text: Decoder, x: Tensor, present: Tensor) -> Tensor:
        length = x.shape[1]
        places = torch.arange(length, device=x.device)[None]
        by = rotary(places, frequencies(self.size.text.head_width, self.size.wavelength, x.device))
        # A token of padding sees itself: what it then is nobody sees, but it is a number.
        mask = (places[..., None] >= places[:, None]) & present[:, None, :] | torch.eye(length, device=x.device).bool()
        every = bool(present.all())
        for layer in text.stack:
            query, key, value, _ = layer.project(x)
            query, key = turned(query, by), turned(key, by)
            value = value.to(query.dtype)
            attended = F.scaled_dot_product_attention(
                query, key, value, None if every else mask[:, None], is_causal=every, enable_gqa=True
            )
            # Sums stay in the wider type in mixed precision, where `finish` would round them.
            x = x + layer.self_attn.o_proj(attended.transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        normed: Tensor = text.norm(x)
        return normed


def shuffled(patches: Tensor) -> Tensor:
    """Join squares of four patches: `(N, P * P, width)` to `(N, P * P / 4, 4 * width)`."""
    side = math.isqrt(patches.shape[1])
    squares = patches.view(len(patches), side // 2, 2, side // 2, 2, -1).transpose(2, 3)
    return squares.reshape(len(patches), (side // 2) ** 2, -1)
