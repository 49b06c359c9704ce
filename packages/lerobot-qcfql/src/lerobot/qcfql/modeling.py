"""The networks of QC-FQL: a behaviour as a flow, a network that acts in one step, and critics of whole chunks.

`S` numbers describe what is seen, `D` = chunk_size * Da numbers a chunk of actions, in [-1, 1].

Source: Li, Zhou, Levine 2025, arXiv:2507.07969; Park, Li, Levine 2025, arXiv:2502.02538 (networks, appendix); Espeholt
et al. 2018, arXiv:1802.01561 (the encoder of pictures, with one block a stage).
"""

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.features import ACTION, PolicyFeatures
from lerobot.policies.networks.flow_matching import Flow
from lerobot.qcfql.config import QCFQLConfig

Observations = Mapping[str, Tensor]
"""Every input of the policy, `(B, ...)`."""


class Sight(nn.Module):
    """What is seen as one vector: numbers as they are, and a description of each picture.

    Args:
        config: inputs and sizes.
    """

    def __init__(self, config: QCFQLConfig) -> None:
        super().__init__()
        cameras = config.image_features
        self._vectors = [key for key in config.input_features if key not in cameras]
        # Names of modules have no dots.
        self._cameras = {key: key.replace(".", "_") for key in cameras}
        self.pictures = nn.ModuleDict(
            {self._cameras[key]: PictureEncoder(feature.shape, config) for key, feature in cameras.items()}
        )
        self.width = sum(config.input_features[key].shape[0] for key in self._vectors) + len(cameras) * config.image_dim

    def forward(self, seen: Observations) -> Tensor:
        """Map observations to `(B, S)`."""
        parts = [seen[key] for key in self._vectors]
        parts += [self.pictures[name](seen[key]) for key, name in self._cameras.items()]
        return torch.cat(parts, dim=-1)


class PictureEncoder(nn.Module):
    """A small residual network: three stages that halve a picture, and a layer over all that is left.

    Args:
        shape: of pictures, `(C, H, W)`.
        config: sizes.
    """

    def __init__(self, shape: Sequence[int], config: QCFQLConfig) -> None:
        super().__init__()
        inputs, height, width = shape
        stages = []
        for channels in config.image_channels:
            stages.append(_Stage(inputs, channels))
            inputs, height, width = channels, math.ceil(height / 2), math.ceil(width / 2)
        self.stages = nn.Sequential(*stages)
        self.flat = nn.Linear(inputs * height * width, config.image_dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `(B, C, H, W)` in [0, 1] to `(B, image_dim)`."""
        return _gelu(self.flat(F.relu(self.stages(pictures)).flatten(1)))


class _Stage(nn.Module):
    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(inputs, channels, 3, padding=1)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        halved = F.max_pool2d(self.enter(features), 3, stride=2, padding=1)
        changed: Tensor = halved + self.second(F.relu(self.first(F.relu(halved))))
        return changed


class Actor(nn.Module):
    """From what is seen and a vector to a chunk, or to its velocity.

    Args:
        config: sizes.
        extra: numbers of the vector beside noise: 1 for a time.
    """

    def __init__(self, config: QCFQLConfig, extra: int = 0) -> None:
        super().__init__()
        chunk = _chunk_width(config)
        self.sight = Sight(config)
        self.net = _layers(self.sight.width + chunk + extra, config.hidden_dims, chunk)

    def forward(self, described: Tensor, vector: Tensor) -> Tensor:
        """Map what is seen `(B, S)` and a vector `(B, D + extra)` to `(B, D)`."""
        found: Tensor = self.net(torch.cat((described, vector), dim=-1))
        return found


class Behaviour(Actor):
    """The recorded behaviour: the velocity that carries noise to chunks.

    Args:
        config: sizes.
    """

    def __init__(self, config: QCFQLConfig) -> None:
        super().__init__(config, extra=1)
        self._steps = config.flow_steps

    def velocity(self, described: Tensor, point: Tensor, time: Tensor) -> Tensor:
        """Give the velocity `(B, D)` at points `(B, D)` of times `(B,)`."""
        found: Tensor = self(described, torch.cat((point, time[:, None].to(point.dtype)), dim=-1))
        return found

    def chunks(self, described: Tensor, noise: Tensor) -> Tensor:
        """Follow the velocity from noise `(B, D)` to chunks `(B, D)` in [-1, 1]."""
        found = Flow.FROM_ZERO.integrate(
            lambda point, time: self.velocity(described, point, time), noise, steps=self._steps
        )
        return found.clamp(-1, 1)


class Critics(nn.Module):
    """Networks that judge chunks, each for itself; they share their sight.

    Args:
        config: sizes.
    """

    def __init__(self, config: QCFQLConfig) -> None:
        super().__init__()
        self.sight = Sight(config)
        inputs = self.sight.width + _chunk_width(config)
        self.nets = nn.ModuleList(
            _layers(inputs, config.hidden_dims, 1, normalised=True) for _ in range(config.num_critics)
        )
        self._lowest = config.q_agg == "min"

    def forward(self, described: Tensor, chunks: Tensor) -> Tensor:
        """Judge chunks `(B, D)` after what is seen `(B, S)` by each network, `(K, B)`."""
        both = torch.cat((described, chunks), dim=-1)
        return torch.stack([net(both).squeeze(-1) for net in self.nets])

    def judge(self, described: Tensor, chunks: Tensor) -> Tensor:
        """Judge chunks as one, `(B,)`."""
        values: Tensor = self(described, chunks)
        return values.amin(0) if self._lowest else values.mean(0)


class Networks(nn.Module):
    """All that learns.

    Args:
        config: sizes, and whether there is a network that acts in one step.

    Attributes:
        one_step: None if the best of several chunks of the behaviour is chosen.
    """

    def __init__(self, config: QCFQLConfig) -> None:
        super().__init__()
        self.flow = Behaviour(config)
        self.one_step = Actor(config) if config.actor == "one_step" else None
        self.critic = Critics(config)
        self._samples = config.n_samples
        self.chunk_width = _chunk_width(config)

    def start(self) -> None:
        """Begin with Xavier's uniform weights, and biases of 0."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def noise(self, rows: int, like: Tensor) -> Tensor:
        """Draw what `act` needs: `(rows, D)`, or `(rows, N, D)` to choose from N chunks."""
        shape = (rows, self.chunk_width) if self.one_step is not None else (rows, self._samples, self.chunk_width)
        return torch.randn(shape, device=like.device, dtype=like.dtype)

    def act(self, seen: Observations, noise: Tensor) -> Tensor:
        """Choose chunks `(B, D)` in [-1, 1].

        Args:
            seen: observations.
            noise: see `noise`.
        """
        if self.one_step is not None:
            chosen: Tensor = self.one_step(self.one_step.sight(seen), noise)
            return chosen.clamp(-1, 1)
        rows, samples, width = noise.shape
        described = self.flow.sight(seen).repeat_interleave(samples, 0)
        chunks = self.flow.chunks(described, noise.flatten(0, 1))
        if samples == 1:
            return chunks
        values = self.critic.judge(self.critic.sight(seen).repeat_interleave(samples, 0), chunks)
        best = values.view(rows, samples).argmax(1)
        return chunks.view(rows, samples, width)[torch.arange(rows, device=best.device), best]


def slow_copy(critic: Critics) -> Critics:
    """Copy critics for a copy that follows slowly and learns nothing itself."""
    return copy.deepcopy(critic).requires_grad_(False)


def _chunk_width(config: QCFQLConfig) -> int:
    outputs: PolicyFeatures = config.output_features
    return config.chunk_size * outputs[ACTION].shape[0]


def _gelu(features: Tensor) -> Tensor:
    return F.gelu(features, approximate="tanh")


def _layers(inputs: int, hidden: Sequence[int], outputs: int, *, normalised: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.GELU(approximate="tanh")]
        if normalised:
            layers.append(nn.LayerNorm(width, eps=1e-6))
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
