"""The search for the best actions: plans are drawn, imagined, judged, and drawn again around the best.

Source: Hansen et al. 2022, arXiv:2203.04955, algorithm 1; Feng et al. 2023 (FOWM), arXiv:2310.16029, equation 4 and
appendix C.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.modeling import TaskModel


class Plan(NamedTuple):
    """Actions, and the mean of the distribution they were drawn from; `T` steps, time first."""

    actions: Tensor
    """`(T, B, Da)`, in [-1, 1] but for the policy's noise."""
    mean: Tensor
    """`(T, B, Da)`."""


class _Imagined(NamedTuple):
    """What `N` plans lead to."""

    gain: Tensor
    """Discounted rewards, less what is uncertain, `(N, B)`."""
    end: Tensor
    """The last state, `(N, B, L)`."""


def plan(config: TDMPCConfig, model: TaskModel, latent: Tensor, before: Tensor | None) -> Plan:
    """Plan the next `horizon` actions, by the cross-entropy method.

    Args:
        config: how to search.
        model: imagines and judges.
        latent: state to begin in, `(B, L)`.
        before: mean of the plan of one step ago, `(T, B, Da)`; None for none.
    """
    proposed = _proposals(config, model, latent)
    # What the policy proposes stays the same in all iterations, and where it leads as well.
    known = [_imagine(config, model, latent, proposed)] if config.n_pi_samples else []
    mean = latent.new_zeros(config.horizon, len(latent), proposed.shape[-1])
    if before is not None:
        mean[:-1] = before[1:]
    std = torch.full_like(mean, config.max_std)
    for _ in range(config.cem_iterations):
        noise = torch.randn(len(mean), config.n_gaussian_samples, *mean.shape[1:], device=mean.device)
        drawn = (mean[:, None] + std[:, None] * noise).clamp(-1, 1)
        gain, end = map(torch.cat, zip(_imagine(config, model, latent, drawn), *known, strict=True))
        worth = (gain + _remaining(config, model, end)).nan_to_num(0)
        best, places = worth.topk(config.n_elites, dim=0)
        elites = torch.cat((drawn, proposed), dim=1).take_along_dim(places[None, :, :, None], dim=1)
        shares = torch.softmax(config.elite_weighting_temperature * best, dim=0)
        centre = (shares[..., None] * elites).sum(1)
        spread = (shares[..., None] * (elites - centre[:, None]).square()).sum(1).sqrt()
        mean = config.gaussian_mean_momentum * mean + (1 - config.gaussian_mean_momentum) * centre
        std = spread.clamp(config.min_std, config.max_std)
    chosen = torch.multinomial(shares.T, 1).squeeze(1)
    return Plan(elites[:, chosen, torch.arange(len(chosen), device=chosen.device)], mean)


def _proposals(config: TDMPCConfig, model: TaskModel, latent: Tensor) -> Tensor:
    """Plans of the learned policy, with a little noise, `(T, N, B, Da)`."""
    state = latent.expand(config.n_pi_samples, *latent.shape)
    actions = []
    for _ in range(config.horizon):
        actions.append(model.act(state, config.min_std))
        state = model.follow(state, actions[-1])
    return torch.stack(actions)


def _imagine(config: TDMPCConfig, model: TaskModel, latent: Tensor, actions: Tensor) -> _Imagined:
    """Follow plans `(T, N, B, Da)` from states `(B, L)`."""
    state = latent.expand(actions.shape[1], *latent.shape)
    gain, discount = torch.zeros_like(state[..., 0]), 1.0
    for action in actions:
        doubt = _doubt(config, model.values(state, action))
        state, reward = model.step(state, action)
        gain = gain + discount * (reward - doubt)
        discount *= config.discount
    return _Imagined(gain, state)


def _remaining(config: TDMPCConfig, model: TaskModel, end: Tensor) -> Tensor:
    """What is to be expected after the horizon, of states `(N, B, L)`, `(N, B)`."""
    values = model.values(end, model.act(end, config.min_std))
    judges = values[torch.randint(0, len(values), (2,))] if len(values) > 2 else values
    return config.discount**config.horizon * (judges.amin(0) - _doubt(config, values))


def _doubt(config: TDMPCConfig, values: Tensor) -> Tensor | float:
    """How much it counts that judges `(E, ...)` disagree, `(...)`."""
    return config.uncertainty_regularizer_coeff * values.std(0) if config.uncertainty_regularizer_coeff > 0 else 0.0
