"""CLIP: a transformer that describes images, and one that describes texts.

Names are those of published checkpoints.

Source: Radford et al. 2021, arXiv:2103.00020; widths of initial weights are those of its code.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.files import WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.weights import Weights, load_weights
from lerobot.policies.networks.sizes import ClipActivation, ClipTextSize, ClipVisionSize, EncoderSize
from lerobot.policies.networks.vision_transformer import Activation, Encoder, EncoderLayer, quick_gelu

_ACTIVATIONS: dict[ClipActivation, Activation] = {"quick_gelu": quick_gelu, "gelu": F.gelu}


class ClipImages(nn.Module):
    """Square images to a vector each.

    Args:
        size: widths, depth, and the size of images.
    """

    def __init__(self, size: ClipVisionSize) -> None:
        super().__init__()
        self.vision_model = _VisionTower(size)

    def forward(self, images: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` of the configured size to `(B, width)`: the class token, before its last normalisation."""
        found: Tensor = self.vision_model(images)
        return found

    def parameters_in_published_order(self) -> Iterator[nn.Parameter]:
        """Parameters as saved optimizer states know them: by the order in which transformers declares them."""
        tower = self.vision_model
        yield from tower.embeddings.parameters()
        yield from tower.pre_layrnorm.parameters()
        for layer in _layers(tower.encoder):
            attention = layer.self_attn
            projections = (attention.k_proj, attention.v_proj, attention.q_proj, attention.out_proj)
            for module in nn.ModuleList([*projections, layer.layer_norm1, layer.mlp, layer.layer_norm2]):
                yield from module.parameters()
        yield from tower.post_layernorm.parameters()

    def load_published(self, name: str) -> None:
        """Take over published weights; see `load_published`."""
        load_published(self, name, "vision_model.")


class ClipTexts(nn.Module):
    """Texts to a vector each.

    Args:
        size: widths, depth, and which tokens there are.
    """

    def __init__(self, size: ClipTextSize) -> None:
        super().__init__()
        self.text_model = _TextTower(size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens `(B, L)` and their mask `(B, L)` bool, false for padding, to `(B, width)`."""
        found: Tensor = self.text_model(tokens, mask)
        return found

    def load_published(self, name: str) -> None:
        """Take over published weights; see `load_published`."""
        load_published(self, name, "text_model.")


def load_published(network: nn.Module, name: str, prefix: str) -> None:
    """Take over a part of the published weights of a CLIP.

    Args:
        network: what to fill.
        name: Hub repository, or folder, with a `model.safetensors`.
        prefix: of the names that are wanted.

    Raises:
        CheckpointError: they are not there, or those of another size.
    """

    def wanted(weights: Weights) -> Weights:
        # Old files hold the numbers of places too.
        return {
            name: tensor
            for name, tensor in weights.items()
            if name.startswith(prefix) and not name.endswith("position_ids")
        }

    checkpoint = Checkpoint.at(name)
    if (path := checkpoint.find(WEIGHTS)) is None:
        raise CheckpointError(
            f"{name} has no {WEIGHTS}, and files of other formats are not read: they may hold programs",
            hint=f"Let transformers write one: CLIPModel.from_pretrained({name!r}).save_pretrained(FOLDER)",
        )
    load_weights(network, path, wanted)


class _VisionEmbeddings(nn.Module):
    def __init__(self, size: ClipVisionSize) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(size.width))
        self.patch_embedding = nn.Conv2d(3, size.width, kernel_size=size.patch, stride=size.patch, bias=False)
        self.position_embedding = nn.Embedding(size.patches_per_side**2 + 1, size.width)
        nn.init.normal_(self.class_embedding, std=size.width**-0.5)
        nn.init.normal_(self.patch_embedding.weight, std=0.02)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        patches: Tensor = self.patch_embedding(images).flatten(2).transpose(1, 2)
        whole = self.class_embedding.expand(len(images), 1, -1)
        return torch.cat([whole, patches], dim=1) + self.position_embedding.weight


class _VisionTower(nn.Module):
    def __init__(self, size: ClipVisionSize) -> None:
        super().__init__()
        self.embeddings = _VisionEmbeddings(size)
        # The published name.
        self.pre_layrnorm = nn.LayerNorm(size.width, size.norm_eps)
        self.encoder = _encoder(size, size.activation, size.norm_eps)
        # In files, and nobody looks at what is behind it.
        self.post_layernorm = nn.LayerNorm(size.width, size.norm_eps).requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        tokens: Tensor = self.encoder(self.pre_layrnorm(self.embeddings(images)))
        return tokens[:, 0]


class _TextEmbeddings(nn.Module):
    def __init__(self, size: ClipTextSize) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(size.vocabulary, size.width)
        self.position_embedding = nn.Embedding(size.positions, size.width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        embedded: Tensor = self.token_embedding(tokens)
        return embedded + self.position_embedding.weight[: tokens.shape[1]]


class _TextTower(nn.Module):
    def __init__(self, size: ClipTextSize) -> None:
        super().__init__()
        self.embeddings = _TextEmbeddings(size)
        self.encoder = _encoder(size, size.activation, size.norm_eps)
        self.final_layer_norm = nn.LayerNorm(size.width, size.norm_eps)
        self._end_token = size.end_token

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        length = tokens.shape[1]
        before = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril()
        seen = before & mask[:, None, None, :]
        read: Tensor = self.final_layer_norm(self.encoder(self.embeddings(tokens), seen))
        ends = tokens if self._end_token is None else tokens == self._end_token
        return read[torch.arange(len(tokens), device=tokens.device), ends.int().argmax(dim=-1)]


def _encoder(size: EncoderSize, activation: ClipActivation, eps: float) -> Encoder:
    encoder = Encoder(size, _ACTIVATIONS[activation], eps)
    narrow = size.width**-0.5 * (2 * size.layers) ** -0.5
    for layer in _layers(encoder):
        attention, mlp = layer.self_attn, layer.mlp
        for linear, std in (
            *((each, narrow) for each in (attention.q_proj, attention.k_proj, attention.v_proj)),
            (attention.out_proj, size.width**-0.5),
            (mlp.fc1, (2 * size.width) ** -0.5),
            (mlp.fc2, narrow),
        ):
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
    return encoder


def _layers(encoder: Encoder) -> Sequence[EncoderLayer]:
    return cast("Sequence[EncoderLayer]", encoder.layers)
