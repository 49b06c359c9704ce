"""SmolVLM2, cut to its first layers, and the action expert that looks at its keys and values.

Module names are those of published checkpoints.

Source: Marafioti et al. 2025, arXiv:2504.05299; Shukor et al. 2025, arXiv:2506.01844, section 3.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lerobot.core.errors import LeRobotError
from lerobot.policies.networks.attention import Rotary, attend, block_mask, frequencies, places, rotary, turned
from lerobot.policies.networks.blocks import RecomputingNetwork
from lerobot.policies.networks.decoder import LLAMA, Decoder, DecoderLayer
from lerobot.policies.networks.sizes import DecoderSize
from lerobot.policies.networks.streams import Tokens, attend_jointly, joined_view, later_view
from lerobot.policies.networks.vision_transformer import VisionTransformer
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.vlm import SmolVLMSize

WAVELENGTH = 10_000.0
"""Of rotary positions: not the one SmolVLM2 was trained with."""

Pair = tuple[DecoderLayer, DecoderLayer | None]
KeysAndValues = list[tuple[Tensor, Tensor]]


class _Projection(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inputs, width, bias=False)


class Connector(nn.Module):
    """Makes one token of a square of neighbouring patches."""

    def __init__(self, size: SmolVLMSize) -> None:
        super().__init__()
        self.scale = size.scale_factor
        self.modality_projection = _Projection(size.vision.width * size.scale_factor**2, size.text.width)

    def forward(self, patches: Tensor) -> Tensor:
        """Map `(B, N * N, width)` to `(B, (N / scale) ** 2, width of text)`."""
        side = math.isqrt(patches.shape[1]) // self.scale
        squares = patches.view(patches.shape[0], side, self.scale, side, self.scale, -1).transpose(2, 3)
        found: Tensor = self.modality_projection.proj(squares.reshape(patches.shape[0], side * side, -1))
        return found


class SmolVLM(nn.Module):
    """Transformer for images, connector and language model."""

    def __init__(self, size: SmolVLMSize) -> None:
        super().__init__()
        self.vision_model = VisionTransformer(size.vision)
        self.connector = Connector(size)
        self.text_model = Decoder(size.text, LLAMA)

    def see(self, images: Tensor) -> Tensor:
        """Map images `(B, 3, H, W)` in [-1, 1] to tokens `(B, N, width of text)`."""
        weight = self.vision_model.embeddings.patch_embedding.weight
        size = self.vision_model.size
        position = patch_places(images.shape[-2:], size.patch, size.patches_per_side).to(images.device)
        found: Tensor = self.connector(self.vision_model(images.to(weight.dtype), position))
        # The factor is rounded like what it multiplies.
        return found * torch.tensor(found.shape[-1] ** 0.5, dtype=found.dtype, device=found.device)

    def read(self, tokens: Tensor) -> Tensor:
        """Map tokens `(B, L)` to `(B, L, width of text)`."""
        found: Tensor = self.text_model.embed_tokens(tokens)
        return found * math.sqrt(found.shape[-1])


class SmolVLMForGeneration(nn.Module):
    """The vision-language model as it is published, with the head that nobody asks here."""

    def __init__(self, size: SmolVLMSize) -> None:
        super().__init__()
        self.model = SmolVLM(size)
        self.lm_head = nn.Linear(size.text.width, size.text.vocabulary, bias=False)


def patch_places(image: torch.Size, patch: int, side: int) -> Tensor:
    """Places `(N,)` of the patches of an image, on the grid that the transformer learned.

    Args:
        image: height and width, pixels.
        patch: of a patch, pixels.
        side: places along a side of the grid; of images of another size, several patches share one, or some are left.
    """
    bounds = torch.arange(1 / side, 1.0, 1 / side)
    row, column = (
        torch.bucketize(
            (torch.arange(length // patch) * (1.0 / (length // patch))).clamp(max=1 - 1e-6), bounds, right=True
        )
        for length in image
    )
    return (row[:, None] * side + column).flatten()


def expert_size(config: SmolVLAConfig, text: DecoderSize, layers: int) -> DecoderSize:
    """Sizes of the action expert beside a language model of so many layers."""
    width = int(text.width * config.expert_width_multiplier)
    hidden = 256 * math.ceil(int(4 * int(2 * width / 3)) / 256)
    depth = config.num_expert_layers if config.num_expert_layers > 0 else layers
    return text.model_copy(update={"width": width, "hidden": hidden, "layers": depth, "vocabulary": 0})


def _require_layers(config: SmolVLAConfig, layers: int, own: int) -> None:
    """Refuse an expert whose layers cannot stand beside the other's, each beside one that it was made for."""
    every, stride = config.self_attn_every_n_layers, layers // own
    mixed = config.attention_mode == "cross_attn" and every > 0
    elsewhere = (
        [index for index in range(own) if (index % every == 0) != (index * stride % every == 0)] if mixed else []
    )
    if not stride or layers % own or elsewhere:
        raise LeRobotError(
            f"{own} layers of the expert beside {layers} of the language model, every {every}th looking at both",
            expected="num_expert_layers that divides num_vlm_layers, and with less of them "
            "self_attn_every_n_layers=0 or attention_mode=self_attn",
        )


class SmolVLMWithExpert(RecomputingNetwork):
    """Both streams, layer by layer.

    In "self" layers all tokens of both are one sequence. In "cross" layers the expert's tokens see only the keys and
    values of the other stream, through projections of their own.

    Args:
        config: of the policy.
    """

    def __init__(self, config: SmolVLAConfig) -> None:
        super().__init__()
        size = config.size
        layers = min(config.num_vlm_layers, size.text.layers) if config.num_vlm_layers > 0 else size.text.layers
        text = size.text.model_copy(update={"layers": layers})
        small = expert_size(config, text, layers)
        _require_layers(config, layers, small.layers)
        dtype = getattr(torch, size.dtype)
        self._every = config.self_attn_every_n_layers if config.attention_mode == "cross_attn" else 1
        self._stride = layers // small.layers
        self._head_width = text.head_width
        self.vlm = SmolVLMForGeneration(size.model_copy(update={"text": text}))
        self.lm_expert = Decoder(small, LLAMA).to(dtype)
        if config.load_vlm_weights:
            self.vlm.to(torch.bfloat16)
        self.vlm.model.text_model.to(torch.bfloat16 if config.load_vlm_weights else dtype)
        keys = text.key_heads * text.head_width
        for index, layer in enumerate(self.lm_expert.stack):
            if not self._joint(index):
                layer.self_attn.k_proj = nn.Linear(keys, keys, bias=False)
                layer.self_attn.v_proj = nn.Linear(keys, keys, bias=False)
        self._freeze(config, layers)

    def _joint(self, index: int) -> bool:
        return self._every > 0 and index % self._every == 0

    def _freeze(self, config: SmolVLAConfig, layers: int) -> None:
        """Leave as it is what the configuration says, and what learns nothing because nobody looks at it."""
        if config.freeze_vision_encoder:
            self.vlm.model.vision_model.requires_grad_(False)
        if config.train_expert_only:
            self.vlm.requires_grad_(False)
        text = self.vlm.model.text_model
        unseen = 1 if self._stride == 1 else 2
        for module in (self.vlm.lm_head, text.norm, *text.stack[layers - unseen :]):
            module.requires_grad_(False)

    @property
    def pairs(self) -> list[Pair]:
        """Layers of the language model, each with that of the expert beside it, if there is one."""
        small = self.lm_expert.stack
        return [
            (layer, None if index % self._stride else small[index // self._stride])
            for index, layer in enumerate(self.vlm.model.text_model.stack)
        ]

    def _turn(self, position: Tensor) -> Rotary:
        return rotary(position, frequencies(self._head_width, WAVELENGTH, position.device))

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(self, prefix: Tokens, suffix: Tokens) -> Tensor:
        """Let the expert read `suffix` after `prefix`.

        Returns:
            `(B, L, width of the expert)`, of the suffix.
        """
        length = prefix.present.shape[1]
        mask, position = joined_view(prefix, suffix)
        view = _View(mask, self._turn(position), self._turn(position[:, length:] - position[:, length : length + 1]))
        first, second = prefix.embedded, suffix.embedded
        for index in range(len(self.pairs)):
            if self.recomputes and self.training:
                first, second = checkpoint(self._layer, index, first, second, view, use_reentrant=False)
            else:
                first, second = self._layer(index, first, second, view)
        found: Tensor = self.lm_expert.norm(second)
        return found

    def _layer(self, index: int, first: Tensor, second: Tensor, view: "_View") -> tuple[Tensor, Tensor]:
        large, small = self.pairs[index]
        last = index + 1 == len(self.pairs)  # nobody looks at its end
        length = first.shape[1]
        seen = large.project(first)
        if small is not None and self._joint(index):
            attended = attend_jointly(seen, small.project(second), view.by, view.mask)
            second = small.finish(second, attended[:, length:])
            return first if last else large.finish(first, attended[:, :length]), second
        before = view.by[0][:, :, :length], view.by[1][:, :, :length]
        key = turned(seen.key, before)
        if small is not None:
            kept = _projected_again(small, key, seen.value)
            second = _look_across(small, second, kept, view.own, view.mask[:, length:, :length])
        if last:
            return first, second
        attended = attend(turned(seen.query, before), key, seen.value, view.mask[:, :length, :length])
        return large.finish(first, attended), second

    # --- acting ------------------------------------------------------------------------------------------------------

    def keep(self, prefix: Tokens) -> KeysAndValues:
        """Read the prefix once: keys and values for each layer, of "cross" layers in the expert's own projection."""
        mask, by = block_mask(prefix.present, prefix.begins), self._turn(places(prefix.present))
        cache = self.vlm.model.text_model.read(prefix.embedded, by, mask)
        return [
            cache[index] if small is None or self._joint(index) else _projected_again(small, *cache[index])
            for index, (_, small) in enumerate(self.pairs)
        ]

    def follow(self, kept: KeysAndValues, present: Tensor, suffix: Tokens) -> Tensor:
        """Let the expert read `suffix` after a prefix that was kept; see `forward`.

        Args:
            kept: from `keep`.
            present: of the prefix, `(B, P)` bool.
            suffix: what the expert reads.
        """
        mask, position = later_view(present, suffix)
        visible = mask[:, :, : present.shape[1]]
        own, by = self._turn(places(suffix.present)), self._turn(position)
        x = suffix.embedded
        for index, (_, small) in enumerate(self.pairs):
            if small is None:
                continue
            if not self._joint(index):
                x = _look_across(small, x, kept[index], own, visible)
                continue
            query, key, value, _ = small.project(x)
            key = torch.cat([kept[index][0], turned(key, by)], dim=2)
            value = torch.cat([kept[index][1], value], dim=2)
            x = small.finish(x, attend(turned(query, by), key, value, mask))
        found: Tensor = self.lm_expert.norm(x)
        return found


class _View(NamedTuple):
    """Who sees whom `(B, L, L)`, the places of both streams, and those of the expert's alone."""

    mask: Tensor
    by: Rotary
    own: Rotary


def _projected_again(layer: DecoderLayer, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values of the other stream, in the expert's own projection."""
    return layer.self_attn.key(key.transpose(1, 2).flatten(2)), layer.self_attn.value(value.transpose(1, 2).flatten(2))


def _look_across(layer: DecoderLayer, x: Tensor, kept: tuple[Tensor, Tensor], by: Rotary, mask: Tensor) -> Tensor:
    normed, _ = layer.normed(x)
    query = turned(layer.self_attn.query(normed), by)
    return layer.finish(x, attend(query, *kept, mask))
