"""PaliGemma: SigLIP, a projection, and Gemma. Module names are those of published checkpoints.

Source: Beyer et al. 2024, arXiv:2407.07726.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lerobot.pi0.sizes import PaliGemmaSize
from lerobot.policies.checkpoint.weights import Weights
from lerobot.policies.networks.attention import Rotary, frequencies, rotary
from lerobot.policies.networks.decoder import GEMMA, Decoder
from lerobot.policies.networks.streams import Tokens
from lerobot.policies.networks.vision_transformer import VisionTransformer
from lerobot.policies.vla.images import CameraImages

WAVELENGTH = 10_000.0
"""Of rotary positions."""


class _VisionTower(nn.Module):
    def __init__(self, size: PaliGemmaSize) -> None:
        super().__init__()
        self.vision_model = VisionTransformer(size.vision)


class _Projector(nn.Module):
    def __init__(self, size: PaliGemmaSize) -> None:
        super().__init__()
        self.linear = nn.Linear(size.vision.width, size.text.width)


class PaliGemma(nn.Module):
    """Transformer for images, projection and language model."""

    def __init__(self, size: PaliGemmaSize) -> None:
        super().__init__()
        self.vision_tower = _VisionTower(size)
        self.multi_modal_projector = _Projector(size)
        self.language_model = Decoder(size.text, GEMMA)

    @property
    def dtype(self) -> torch.dtype:
        """Type of what the language model computes with."""
        return self.language_model.embed_tokens.weight.dtype

    def see(self, images: Tensor) -> Tensor:
        """Map images `(B, 3, H, W)` in [-1, 1] to tokens `(B, N, width of text)`."""
        linear = self.multi_modal_projector.linear
        found: Tensor = linear(self.vision_tower.vision_model(images.to(linear.weight.dtype)))
        return found

    def read(self, tokens: Tensor) -> Tensor:
        """Map tokens `(B, L)` to `(B, L, width of text)`."""
        found: Tensor = self.language_model.embed_tokens(tokens)
        # The factor is rounded like what it multiplies.
        return found * torch.tensor(found.shape[-1] ** 0.5, dtype=found.dtype, device=found.device)

    def prefix(self, cameras: Sequence[CameraImages], tokens: Tensor, mask: Tensor) -> Tokens:
        """Embed images and text, which see each other.

        Args:
            cameras: see `CameraImages`.
            tokens: of the text, `(B, L)`.
            mask: `(B, L)` bool; false for padding.
        """
        seen = [self.see(camera.images) for camera in cameras]
        there = [camera.present[:, None].expand(each.shape[:2]) for camera, each in zip(cameras, seen, strict=True)]
        embedded = torch.cat([*seen, self.read(tokens)], dim=1).to(self.dtype)
        present = torch.cat([*there, mask], dim=1)
        return Tokens(embedded, present, torch.zeros_like(present[0]))

    def turn(self, position: Tensor) -> Rotary:
        """Cosines and sines of places `(B, L)`; with weights of few bits, of angles as rounded as published ones."""
        width = self.language_model.stack[0].self_attn.head_width
        return rotary(position, frequencies(width, WAVELENGTH, position.device).to(self.dtype))


class PaliGemmaForGeneration(nn.Module):
    """PaliGemma with the head that says the next token."""

    def __init__(self, size: PaliGemmaSize) -> None:
        super().__init__()
        self.model = PaliGemma(size)
        self.lm_head = nn.Linear(size.text.width, size.text.vocabulary, bias=False)


def to_few_bits(*models: nn.Module) -> None:
    """Bring the weights of language models to bfloat16; those of their normalisations stay float32.

    Args:
        models: changed in place.
    """
    for model in models:
        model.to(torch.bfloat16)
        for name, module in model.named_modules():
            if name.rpartition(".")[2] in {"input_layernorm", "post_attention_layernorm", "norm"}:
                module.float()


def with_table(weights: Weights) -> Weights:
    """Give published weights the table of tokens, which some files hold as the head of PaliGemma alone."""
    paligemma = "model.paligemma_with_expert.paligemma"
    head, table = f"{paligemma}.lm_head.weight", f"{paligemma}.model.language_model.embed_tokens.weight"
    return {table: weights[head], **weights} if head in weights else weights
