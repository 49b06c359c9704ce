"""From observations to features: each observation becomes a vector, and a network remembers them.

Source: Mandlekar et al. 2021, arXiv:2108.03298 (robomimic): encoder, MLP and RNN; the Transformer is robomimic's later
one, a GPT (Radford et al. 2019) with learned positions, normalised first.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.bc.config import BCConfig, BCMLPConfig, BCRNNConfig, BCTransformerConfig
from lerobot.policies.networks.keypoints import KeypointEncoder, KeypointSettings


def mlp(inputs: int, hidden: Iterable[int], outputs: int | None = None) -> nn.Sequential:
    """Linear layers with ReLU between them; without `outputs` also behind the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, *([] if outputs is None else [nn.Linear(inputs, outputs)]))


class ObservationEncoder(nn.Module):
    """Observations to vectors: their numbers, and of each picture where its features are.

    Args:
        config: how pictures are looked at.
        from_scratch: fetch the pretrained weights of backbones.
    """

    def __init__(self, config: BCConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        pictures = config.image_features
        self._vectors = [key for key in config.input_features if key not in pictures]
        self._pictures = list(pictures)
        self.cameras = nn.ModuleList(
            _camera(config, (shape[1], shape[2]), from_scratch)
            for shape in (pictures[key].shape for key in self._pictures)
        )
        numbers = sum(config.input_features[key].shape[0] for key in self._vectors)
        self.width = numbers + config.image_feature_dim * len(self._pictures)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Map every input `(B, T, ...)` to `(B, T, D)`."""
        seen = [observations[key] for key in self._vectors]
        for key, camera in zip(self._pictures, self.cameras, strict=True):
            pictures = observations[key]
            seen.append(camera(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2]))
        return torch.cat(seen, dim=-1)


def _camera(config: BCConfig, size: tuple[int, int], from_scratch: bool) -> nn.Sequential:
    settings = KeypointSettings(
        size=size,
        backbone=config.vision_backbone,
        weights=config.pretrained_backbone_weights,
        # Statistics over the batch would be those of neighbours in time; pretrained ones are constant enough.
        grouped=config.pretrained_backbone_weights is None,
        keypoints=config.spatial_softmax_num_keypoints,
        resize=None,
        crop=(round(size[0] * config.crop_ratio), round(size[1] * config.crop_ratio)),
        random_crop=True,
    )
    encoder = KeypointEncoder(settings, from_scratch=from_scratch)
    return nn.Sequential(encoder, nn.Linear(encoder.feature_dim, config.image_feature_dim))


Memory = Any
"""What a network keeps between two steps; None before the first, and never changed."""


class Network(Protocol):
    """Remembers vectors of observations."""

    width: int
    """Width of the features."""

    def __call__(self, vectors: Tensor) -> Tensor:
        """Map a window `(B, T, D)`, which begins as an episode does, to features `(B, T, W)`."""
        ...

    def step(self, vector: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Map the newest vector `(B, D)` to features `(B, W)`, knowing those before it; and what to remember."""
        ...


class MLPNetwork(nn.Module):
    """Remembers nothing.

    Args:
        config: sizes.
        inputs: width of a vector.
    """

    def __init__(self, config: BCMLPConfig, inputs: int) -> None:
        super().__init__()
        self.width = config.hidden_dims[-1]
        self.layers = mlp(inputs, config.hidden_dims)

    def forward(self, vectors: Tensor) -> Tensor:
        """See `Network`."""
        features: Tensor = self.layers(vectors)
        return features

    def step(self, vector: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """See `Network.step`."""
        return self(vector), memory


class RNNNetwork(nn.Module):
    """Remembers in a state, which begins anew once a sequence is as long as those that it learned from.

    Args:
        config: sizes.
        inputs: width of a vector.
    """

    def __init__(self, config: BCRNNConfig, inputs: int) -> None:
        super().__init__()
        kind = nn.LSTM if config.cell == "lstm" else nn.GRU
        self.rnn = kind(inputs, config.rnn_dim, config.rnn_layers, batch_first=True)
        self.layers = mlp(config.rnn_dim, config.hidden_dims)
        self.width = config.hidden_dims[-1] if config.hidden_dims else config.rnn_dim
        self._longest = config.n_obs_steps

    def forward(self, vectors: Tensor) -> Tensor:
        """See `Network`."""
        features: Tensor = self.layers(self.rnn(vectors)[0])
        return features

    def step(self, vector: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """See `Network.step`; memory is the state and its age in steps."""
        state, age = (None, 0) if memory is None or memory[1] == self._longest else memory
        features, state = self.rnn(vector.unsqueeze(1), state)
        return self.layers(features)[:, 0], (state, age + 1)


class TransformerNetwork(nn.Module):
    """Looks back on the last vectors; before there are as many, the first one stands for those before it.

    Args:
        config: sizes.
        inputs: width of a vector.
    """

    def __init__(self, config: BCTransformerConfig, inputs: int) -> None:
        super().__init__()
        self.width = config.width
        self.embed = nn.Linear(inputs, config.width)
        self.positions = nn.Parameter(torch.zeros(config.n_obs_steps, config.width))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential(*(_Block(config) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, vectors: Tensor) -> Tensor:
        """See `Network`."""
        features: Tensor = self.norm(self.blocks(self.dropout(self.embed(vectors) + self.positions)))
        return features

    def step(self, vector: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """See `Network.step`; memory is the window `(B, T, D)`."""
        newest = vector.unsqueeze(1)
        window = newest.expand(-1, len(self.positions), -1) if memory is None else torch.cat((memory[:, 1:], newest), 1)
        return self(window)[:, -1], window


class _Block(nn.Module):
    """Attention to what came before and a feed-forward block, each normalised before and around a shortcut."""

    def __init__(self, config: BCTransformerConfig) -> None:
        super().__init__()
        width, self._heads, self._dropout = config.width, config.heads, config.dropout
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(config.dropout)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map `(B, T, W)` to `(B, T, W)`."""
        queries, keys, values = (
            part.unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for part in self.attention(self.first(tokens)).chunk(3, dim=-1)
        )
        dropout = self._dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout, is_causal=True)
        tokens = tokens + F.dropout(self.merge(seen.transpose(1, 2).flatten(2)), self._dropout, self.training)
        found: Tensor = tokens + self.feed(self.second(tokens))
        return found


def make_network(config: BCConfig, inputs: int) -> MLPNetwork | RNNNetwork | TransformerNetwork:
    """Make the network that a configuration is of, for vectors of a width."""
    match config:
        case BCMLPConfig():
            return MLPNetwork(config, inputs)
        case BCRNNConfig():
            return RNNNetwork(config, inputs)
        case BCTransformerConfig():
            return TransformerNetwork(config, inputs)
        case _:
            raise TypeError(f"{type(config).__name__} is the configuration of no network")
