"""From features to actions in [-1, 1]: one, or a distribution that actions are drawn from.

Source: Mandlekar et al. 2021, arXiv:2108.03298, appendix D (Gaussian and mixture heads); Kingma and Welling 2013,
arXiv:1312.6114 (VAE), as Fujimoto et al. 2018, arXiv:1812.02900, have it.
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
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

    def distribution(self, features: Tensor) -> Independent:
        """Of actions."""
        std = F.softplus(self.scale(features)).clamp(LEAST_STD, MOST_STD)
        return Independent(Normal(self.act(features), std, validate_args=False), 1, validate_args=False)

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """The negative log-likelihood; see `ActionHead.error`."""
        return -_log_prob(self.distribution(features), action)

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return torch.tanh(self.mean(features))

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        return self.distribution(features).sample().clamp(-1, 1)


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
        self._shape = (config.gmm_modes, actions)
        count = config.gmm_modes * actions
        self.mean, self.scale = nn.Linear(width, count), nn.Linear(width, count)
        self.logits = nn.Linear(width, config.gmm_modes)

    def distribution(self, features: Tensor) -> MixtureSameFamily:
        """Of actions."""
        std = F.softplus(self.scale(features)).unflatten(-1, self._shape) + LEAST_MIXED_STD
        modes = Independent(Normal(self._means(features), std, validate_args=False), 1, validate_args=False)
        weights = Categorical(logits=self.logits(features), validate_args=False)
        return MixtureSameFamily(weights, modes, validate_args=False)

    def error(self, features: Tensor, action: Tensor) -> Tensor:
        """The negative log-likelihood; see `ActionHead.error`."""
        return -_log_prob(self.distribution(features), action)

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        shares = self.logits(features).softmax(-1).cumsum(-1)
        # A number per row, so that a row draws the same whatever is beside it.
        drawn = (shares < torch.rand_like(shares[..., :1])).sum(-1).clamp(max=shares.shape[-1] - 1)
        return self._means(features).take_along_dim(drawn[..., None, None], dim=-2).squeeze(-2)

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        return self.distribution(features).sample().clamp(-1, 1)

    def _means(self, features: Tensor) -> Tensor:
        return torch.tanh(self.mean(features)).unflatten(-1, self._shape)


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
        return (made - action).square().mean(-1) + self._kl_weight * divergence

    def act(self, features: Tensor) -> Tensor:
        """See `ActionHead.act`."""
        return self.sample(features)

    def sample(self, features: Tensor) -> Tensor:
        """See `ActionHead.sample`."""
        latent = torch.randn(*features.shape[:-1], self._latent, device=features.device, dtype=features.dtype)
        return self._decoded(features, latent.clamp(-FARTHEST_LATENT, FARTHEST_LATENT))

    def _decoded(self, features: Tensor, latent: Tensor) -> Tensor:
        return torch.tanh(self.decoder(torch.cat((features, latent), -1)))


def _log_prob(distribution: Independent | MixtureSameFamily, action: Tensor) -> Tensor:
    found: Tensor = distribution.log_prob(action)  # type: ignore[no-untyped-call]
    return found


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
