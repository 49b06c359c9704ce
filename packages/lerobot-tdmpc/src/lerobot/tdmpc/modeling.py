"""The networks of TD-MPC: what is seen becomes a latent state, which is moved on, rewarded and judged.

Source: Hansen et al. 2022, arXiv:2203.04955; Feng et al. 2023 (FOWM), arXiv:2310.16029. Parameter names are those of
huggingface/lerobot.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.tdmpc.config import CONVOLUTIONS, TDMPCConfig


class ObservationEncoder(nn.Module):
    """Observations to latent states: the mean of what picture, environment's state and robot's state say.

    Args:
        config: sizes and features.
    """

    def __init__(self, config: TDMPCConfig) -> None:
        super().__init__()
        self._camera = next(iter(config.image_features), None)
        self._environment = config.env_state_feature[0] if config.env_state_feature else None
        latent, width = config.latent_dim, config.state_encoder_hidden_dim
        if self._camera is not None:
            channels, _, pixels = config.image_features[self._camera].shape
            self.image_enc_layers = _pictures(channels, config.image_encoder_hidden_dim, config.seen(pixels), latent)
        self.state_enc_layers = _vector(config.input_features[OBSERVATION_STATE].shape[0], width, latent)
        if self._environment is not None:
            self.env_state_enc_layers = _vector(config.input_features[self._environment].shape[0], width, latent)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Map every input `(..., *shape)` to `(..., L)`."""
        found = [self.state_enc_layers(observations[OBSERVATION_STATE])]
        if self._environment is not None:
            found.insert(0, self.env_state_enc_layers(observations[self._environment]))
        if self._camera is not None:
            pictures = observations[self._camera]
            seen = self.image_enc_layers(pictures.flatten(0, -4))
            found.insert(0, seen.view(*pictures.shape[:-3], -1))
        return torch.stack(found).mean(0)


class TaskModel(nn.Module):
    """Everything that is learned: encoder, dynamics, rewards, a policy, and values of actions and of states.

    `L` numbers describe a state, `Da` an action.

    Args:
        config: sizes and features.
    """

    def __init__(self, config: TDMPCConfig) -> None:
        super().__init__()
        latent, width, actions = config.latent_dim, config.mlp_dim, config.output_features[ACTION].shape[0]
        self._encoder = ObservationEncoder(config)
        self._dynamics = nn.Sequential(*_mish(latent + actions, width, latent), nn.LayerNorm(latent), nn.Sigmoid())
        self._reward = nn.Sequential(*_mish(latent + actions, width, 1))
        self._pi = nn.Sequential(*_mish(latent, width, actions))
        self._Qs = nn.ModuleList(_judge(latent + actions, width) for _ in range(config.q_ensemble_size))
        self._V = _judge(latent, width)

    def start(self) -> None:
        """Begin with orthogonal weights; rewards and values of actions begin at 0."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                gain = nn.init.calculate_gain("relu") if isinstance(module, nn.Conv2d) else 1.0
                nn.init.orthogonal_(module.weight, gain)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type] # these layers have one
        for network in (self._reward, *self._Qs):
            nn.init.zeros_(network[-1].weight)

    def encode(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Map every input `(..., *shape)` to latent states `(..., L)`."""
        found: Tensor = self._encoder(observations)
        return found

    def step(self, latent: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Give the state `(..., L)` after an action, and the reward `(...)` for it.

        Args:
            latent: `(..., L)`.
            action: `(..., Da)`.
        """
        both = torch.cat((latent, action), dim=-1)
        return self._dynamics(both), self._reward(both).squeeze(-1)

    def follow(self, latent: Tensor, action: Tensor) -> Tensor:
        """Give the state `(..., L)` after an action `(..., Da)`."""
        found: Tensor = self._dynamics(torch.cat((latent, action), dim=-1))
        return found

    def act(self, latent: Tensor, std: float = 0.0) -> Tensor:
        """Give the policy's action `(..., Da)`, and noise of a deviation on it, drawn from torch's generator."""
        action = torch.tanh(self._pi(latent))
        return action + torch.randn_like(action) * std if std > 0 else action

    def value(self, latent: Tensor) -> Tensor:
        """Judge states `(..., L)`, `(...)`."""
        found: Tensor = self._V(latent).squeeze(-1)
        return found

    def values(self, latent: Tensor, action: Tensor) -> Tensor:
        """Judge actions `(..., Da)` in states `(..., L)` by each of the networks, `(E, ...)`."""
        both = torch.cat((latent, action), dim=-1)
        return torch.stack([judge(both).squeeze(-1) for judge in self._Qs])

    def low_value(self, latent: Tensor, action: Tensor) -> Tensor:
        """Judge actions by the lower of two networks, drawn from numpy's generator, `(...)`."""
        judges = list(self._Qs)
        if len(judges) > 2:
            judges = [judges[index] for index in np.random.choice(len(judges), size=2)]
        both = torch.cat((latent, action), dim=-1)
        return torch.stack([judge(both).squeeze(-1) for judge in judges]).amin(0)


def _pictures(channels: int, width: int, places: int, latent: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for size, stride in CONVOLUTIONS:
        layers += [nn.Conv2d(channels, width, size, stride), nn.ReLU()]
        channels = width
    flat = nn.Linear(width * places**2, latent)
    return nn.Sequential(*layers, nn.Flatten(), flat, nn.LayerNorm(latent), nn.Sigmoid())


def _vector(size: int, width: int, latent: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, width), nn.ELU(), nn.Linear(width, latent), nn.LayerNorm(latent), nn.Sigmoid())


def _mish(size: int, width: int, outputs: int) -> list[nn.Module]:
    hidden: list[nn.Module] = [nn.Linear(size, width), nn.LayerNorm(width), nn.Mish()]
    return [*hidden, nn.Linear(width, width), nn.LayerNorm(width), nn.Mish(), nn.Linear(width, outputs)]


def _judge(size: int, width: int) -> nn.Sequential:
    hidden = (nn.Linear(size, width), nn.LayerNorm(width), nn.Tanh(), nn.Linear(width, width), nn.ELU())
    return nn.Sequential(*hidden, nn.Linear(width, 1))
