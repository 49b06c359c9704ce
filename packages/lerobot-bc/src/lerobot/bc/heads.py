"""From features to actions in [-1, 1]: one, or a distribution that actions are drawn from.

Source: Mandlekar et al. 2021, arXiv:2108.03298, appendix D (Gaussian and mixture heads); Kingma and Welling 2013,
arXiv:1312.6114 (VAE), as Fujimoto et al. 2018, arXiv:1812.02900, have it.
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.bc.config import BCConfig
from lerobot.bc.networks import mlp

LEAST_STD, MOST_STD = 0.01, 7.5
"""Bounds of a Gaussian's deviation."""
LEAST_MIXED_STD = 1e-4
"""Added to the deviations of a mixture."""
FARTHEST_LATENT = 0.5
"""How far from 0 latent numbers are drawn, so that what they become is like what was demonstrated (BCQ)."""


class ActionHead(Protocol):
    """Makes actions `(..., Da)` of features `(..., W)`."""

    is_random: bool
    """Whether `act` draws."""

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """How badly actions `(..., Da)` are predicted, `(...)`."""
        ...

    def act(self, features: Tensor) -> Tensor:
        """Choose an action."""
        ...

    def sample(self, features: Tensor) -> Tensor:
        """Draw an action; those of a deterministic head are all the same."""
        ...


class DeterministicHead(nn.Module):
    """One action.

    Args:
        config: which error.
        width: of features.
        actions: numbers of an action.
    """

    is_random = False

    def __init__(self, config: BCConfig, width: int, actions: int) -> None:
        super().__init__()
        self.action = nn.Linear(width, actions)
        self._loss = config.loss

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """Mean over the action's numbers of squares, or absolute values; see `ActionHead.error`."""
        missing = self.act(features) - action
        return (missing.square() if self._loss == "l2" else missing.abs()).mean(-1)

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return torch.tanh(self.action(features))

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        return self.act(features)


class GaussianHead(nn.Module):
    """A Gaussian with a deviation for each number; acts with its mean.

    Args:
        width: of features.
        actions: numbers of an action.
    """

    is_random = False

    def __init__(self, width: int, actions: int) -> None:
        super().__init__()
        self.mean, self.scale = nn.Linear(width, actions), nn.Linear(width, actions)

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """The negative log-likelihood; see `ActionHead.error`."""
        return -_log_normal(action, self.act(features), self._std(features))

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return torch.tanh(self.mean(features))

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        return torch.normal(self.act(features), self._std(features)).clamp(-1, 1)

    def _std(self, features: Tensor) -> Tensor:
        return F.softplus(self.scale(features)).clamp(LEAST_STD, MOST_STD)


class MixtureHead(nn.Module):
    """A mixture of Gaussians; acts with the mean of one of them, drawn by its weight.

    Args:
        config: how many.
        width: of features.
        actions: numbers of an action.
    """

    is_random = True

    def __init__(self, config: BCConfig, width: int, actions: int) -> None:
        super().__init__()
        self._modes = config.gmm_modes
        count = config.gmm_modes * actions
        self.mean, self.scale = nn.Linear(width, count), nn.Linear(width, count)
        self.logits = nn.Linear(width, config.gmm_modes)

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """The negative log-likelihood; see `ActionHead.error`."""
        each = _log_normal(action.unsqueeze(-2), self._means(features), self._stds(features))
        return -torch.logsumexp(self.logits(features).log_softmax(-1) + each, dim=-1)

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return self._of(self._drawn(features), self._means(features))

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        drawn = self._drawn(features)
        mean, std = self._of(drawn, self._means(features)), self._of(drawn, self._stds(features))
        return torch.normal(mean, std).clamp(-1, 1)

    def _drawn(self, features: Tensor) -> Tensor:
        """A mode for each row, by its weight, `(..., 1, 1)`."""
        shares = self.logits(features).softmax(-1).cumsum(-1)
        # A number per row, so that a row draws the same whatever is beside it.
        drawn: Tensor = (shares < torch.rand_like(shares[..., :1])).sum(-1).clamp(max=self._modes - 1)
        return drawn[..., None, None]

    def _of(self, drawn: Tensor, modes: Tensor) -> Tensor:
        return modes.take_along_dim(drawn, dim=-2).squeeze(-2)

    def _means(self, features: Tensor) -> Tensor:
        return self._by_mode(torch.tanh(self.mean(features)))

    def _stds(self, features: Tensor) -> Tensor:
        return self._by_mode(F.softplus(self.scale(features)) + LEAST_MIXED_STD)

    def _by_mode(self, values: Tensor) -> Tensor:
        return values.reshape(*values.shape[:-1], self._modes, -1)


class VAEHead(nn.Module):
    """A conditional variational autoencoder: latent numbers that are drawn become an action.

    Args:
        config: sizes, and the weight of the divergence.
        width: of features.
        actions: numbers of an action.
    """

    is_random = True

    def __init__(self, config: BCConfig, width: int, actions: int) -> None:
        super().__init__()
        self._latent = config.vae_latent_dim or 2 * actions
        self._kl_weight = config.vae_kl_weight
        self.encoder = mlp(width + actions, config.vae_hidden_dims, 2 * self._latent)
        self.decoder = mlp(width + self._latent, config.vae_hidden_dims, actions)

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """Squared error of what the decoder makes, and the divergence; both means. See `ActionHead.error`."""
        mean, log_std = self.encoder(torch.cat((features, action), -1)).chunk(2, dim=-1)
        # As in BCQ's code: a narrower latent than exp(-4) would stop the gradient, a wider than exp(15) overflow.
        std = log_std.clamp(-4, 15).exp()
        made = self._decoded(features, mean + std * torch.randn_like(std))
        divergence = -0.5 * (1 + std.square().log() - mean.square() - std.square()).mean(-1)
        error: Tensor = (made - action).square().mean(-1) + self._kl_weight * divergence
        return error

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return self.sample(features)

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        latent = torch.randn(*features.shape[:-1], self._latent, device=features.device, dtype=features.dtype)
        return self._decoded(features, latent.clamp(-FARTHEST_LATENT, FARTHEST_LATENT))

    def _decoded(self, features: Tensor, latent: Tensor) -> Tensor:
        return torch.tanh(self.decoder(torch.cat((features, latent), -1)))


def _log_normal(action: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Log-density of a Gaussian with a deviation for each number, over the last axis."""
    return (-0.5 * ((action - mean) / std).square() - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def make_head(config: BCConfig, width: int) -> DeterministicHead | GaussianHead | MixtureHead | VAEHead:
    """Make the head that a configuration asks for, for features of a width."""
    (actions,) = config.output_features["action"].shape
    match config.chosen_head:
        case "deterministic":
            return DeterministicHead(config, width, actions)
        case "gaussian":
            return GaussianHead(width, actions)
        case "gmm":
            return MixtureHead(config, width, actions)
        case "vae":
            return VAEHead(config, width, actions)
