"""What is learned: to copy, to copy more what brought more, or the best of what could be copied.

Source: Peters and Schaal 2007, "Reinforcement learning by reward-weighted regression for operational space control"
(rwr); Peng et al. 2019, arXiv:1910.00177 (awr), algorithm 1; Fujimoto et al. 2018, arXiv:1812.02900 (bcq), algorithm 1.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lerobot.bc.config import BCConfig
from lerobot.bc.heads import ActionHead
from lerobot.bc.networks import ObservationEncoder, mlp


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learned from: `S` steps of each of `B` rows.

    Attributes:
        observations: inputs `(B, S, ...)`.
        features: what the network makes of them and of those before, `(B, S, W)`.
        action: `(B, S, Da)`, normalised.
        real: which steps lie in the episode, `(B, S)` bool.
        returns: discounted rewards from each step on, standardised over the dataset, `(B, S)`; None unless needed.
        following: what happened then; None unless needed.
    """

    observations: Mapping[str, Tensor]
    features: Tensor
    action: Tensor
    real: Tensor
    returns: Tensor | None = None
    following: "Following | None" = None

    def mean(self, errors: Tensor) -> Tensor:
        """Mean of errors `(B, S)` over the steps that lie in the episode."""
        return (errors * self.real).sum() / self.real.sum().clamp(min=1)


@dataclass(frozen=True, slots=True)
class Following:
    """What came of the actions.

    Attributes:
        rewards: `(B, S)`.
        ended: whether the episode ended with the action, `(B, S)` bool.
        observations: inputs after it, `(B, S, ...)`.
        features: what the network makes of those, `(B, S, W)`.
    """

    rewards: Tensor
    ended: Tensor
    observations: Mapping[str, Tensor]
    features: Tensor


Found = tuple[Tensor, dict[str, Tensor]]
"""The scalar loss, and its parts without gradients."""


class Copying(nn.Module):
    """Behaviour cloning: every action counts alike."""

    is_random = False

    def loss(self, head: ActionHead, seen: Examples) -> Found:
        """Compute the loss.

        Args:
            head: predicts actions.
            seen: what is learned from.
        """
        return seen.mean(head.error(seen.features, seen.action)), {}

    def act(self, head: ActionHead, features: Tensor, observation: Mapping[str, Tensor]) -> Tensor:
        """Choose an action `(B, Da)`.

        Args:
            head: predicts actions.
            features: `(B, W)`.
            observation: every input `(B, ...)`.
        """
        del observation
        return head.act(features)

    def update(self) -> None:
        """Do what follows every step of the optimizer; nothing here."""


class RewardWeighted(Copying):
    """Reward-weighted regression: an action counts `exp(return / temperature)`, the larger the better it went on.

    Args:
        config: how much.
    """

    def __init__(self, config: BCConfig) -> None:
        super().__init__()
        self._temperature, self._most = config.temperature, config.max_weight

    def loss(self, head: ActionHead, seen: Examples) -> Found:
        """See `Copying.loss`."""
        assert seen.returns is not None  # noqa: S101 - the policy checks it
        return self._weighted(head, seen, seen.returns)

    def _weighted(self, head: ActionHead, seen: Examples, better: Tensor) -> Found:
        weights = (better / self._temperature).exp().clamp(max=self._most)
        loss = seen.mean(weights * head.error(seen.features, seen.action))
        return loss, {"weight": seen.mean(weights)}


class AdvantageWeighted(RewardWeighted):
    """Advantage-weighted regression: as `RewardWeighted`, of how much better it went on than was to be expected.

    Args:
        config: sizes.
        from_scratch: fetch the pretrained weights of backbones.
    """

    def __init__(self, config: BCConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.encoder = ObservationEncoder(config, from_scratch=from_scratch)
        self.value = mlp(self.encoder.width, config.value_hidden_dims, 1)

    def loss(self, head: ActionHead, seen: Examples) -> Found:
        """See `Copying.loss`; half the squared error of the value is added."""
        assert seen.returns is not None  # noqa: S101 - the policy checks it
        value = self.value(self.encoder(seen.observations)).squeeze(-1)
        policy, parts = self._weighted(head, seen, seen.returns - value.detach())
        error = 0.5 * seen.mean((value - seen.returns).square())
        return policy + error, {**parts, "policy_loss": policy.detach(), "value_loss": error.detach()}


class Critics(nn.Module):
    """Networks that judge actions.

    Args:
        config: how many, and their sizes.
        from_scratch: fetch the pretrained weights of backbones.
    """

    def __init__(self, config: BCConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.encoder = ObservationEncoder(config, from_scratch=from_scratch)
        inputs = self.encoder.width + config.output_features["action"].shape[0]
        self.judges = nn.ModuleList(mlp(inputs, config.critic_hidden_dims, 1) for _ in range(config.critic_count))

    def forward(self, vectors: Tensor, action: Tensor) -> Tensor:
        """Judge actions `(..., Da)` by vectors of the observations `(..., D)`: `(K, ...)`."""
        both = torch.cat((vectors, action), -1)
        return torch.stack([judge(both).squeeze(-1) for judge in self.judges])

    def first_frozen(self, vectors: Tensor, action: Tensor) -> Tensor:
        """Judge by the first network, which nothing is learned of: `(...)`."""
        judge = self.judges[0]
        weights = {name: weight.detach() for name, weight in judge.named_parameters()}
        found: Tensor = functional_call(judge, weights, (torch.cat((vectors, action), -1),)).squeeze(-1)
        return found


class Perturbation(nn.Module):
    """Changes an action a little.

    Args:
        config: how far.
        width: of features.
    """

    def __init__(self, config: BCConfig, width: int) -> None:
        super().__init__()
        actions = config.output_features["action"].shape[0]
        self.change = mlp(width + actions, config.critic_hidden_dims, actions)
        self._farthest = config.perturbation

    def forward(self, features: Tensor, action: Tensor) -> Tensor:
        """Map actions `(..., Da)` under features `(..., W)` to actions."""
        change = torch.tanh(self.change(torch.cat((features, action), -1)))
        return (action + self._farthest * change).clamp(-1, 1)


class BatchConstrained(Copying):
    """Batch-constrained Q-learning: a head learns what was demonstrated, and of what it draws the best is done.

    Args:
        config: sizes.
        width: of features.
        from_scratch: fetch the pretrained weights of backbones.
    """

    is_random = True

    def __init__(self, config: BCConfig, width: int, *, from_scratch: bool = True) -> None:
        super().__init__()
        self._config = config
        self.critics = Critics(config, from_scratch=from_scratch)
        self.perturbation = Perturbation(config, width) if config.perturbation else None
        self.slow_critics = copy.deepcopy(self.critics).requires_grad_(False)
        self.slow_perturbation = copy.deepcopy(self.perturbation)
        if self.slow_perturbation is not None:
            self.slow_perturbation.requires_grad_(False)

    def loss(self, head: ActionHead, seen: Examples) -> Found:
        """See `Copying.loss`: the sum of those of the head, of the critics and of the perturbation."""
        copied = seen.mean(head.error(seen.features, seen.action))
        vectors = self.critics.encoder(seen.observations)
        values = self.critics(vectors, seen.action)
        errors = (values - self.target(head, seen)).square()
        critic = torch.stack([seen.mean(error) for error in errors]).sum()
        loss = copied + critic
        parts = {"sampler_loss": copied, "critic_loss": critic, "Q": seen.mean(values[0])}
        if self.perturbation is not None:
            features = seen.features.detach()
            with torch.no_grad():
                drawn = head.sample(features)
            worth = self.critics.first_frozen(vectors.detach(), self.perturbation(features, drawn))
            parts["perturbation_loss"] = -seen.mean(worth)
            loss = loss + parts["perturbation_loss"]
        return loss, {name: part.detach() for name, part in parts.items()}

    @torch.no_grad()
    def target(self, head: ActionHead, seen: Examples) -> Tensor:
        """Give what actions are worth: their reward, and the best of what could follow, `(B, S)`."""
        assert seen.following is not None  # noqa: S101 - the policy checks it
        following, config = seen.following, self._config
        vectors = self.slow_critics.encoder(following.observations)
        features, vectors = _repeated(config.target_samples, following.features, vectors)
        values = self.slow_critics(vectors, _moved(self.slow_perturbation, features, head.sample(features)))
        low, high = values.amin(0), values.amax(0)
        best = (config.pessimism * low + (1 - config.pessimism) * high).amax(-1)
        found: Tensor = following.rewards + config.discount * ~following.ended * best
        return found

    def act(self, head: ActionHead, features: Tensor, observation: Mapping[str, Tensor]) -> Tensor:
        """See `Copying.act`: the best of some that are drawn, as the first critic judges."""
        vectors = self.critics.encoder({key: value.unsqueeze(1) for key, value in observation.items()})[:, 0]
        features, vectors = _repeated(self._config.acting_samples, features, vectors)
        drawn = _moved(self.perturbation, features, head.sample(features))
        best = self.critics(vectors, drawn)[0].argmax(-1)
        return drawn.take_along_dim(best[:, None, None], dim=1).squeeze(1)

    @torch.no_grad()
    def update(self) -> None:
        """Let the slow copies follow."""
        pairs = [(self.slow_critics, self.critics)]
        if self.perturbation is not None and self.slow_perturbation is not None:
            pairs.append((self.slow_perturbation, self.perturbation))  # type: ignore[arg-type]
        for slow, fast in pairs:
            for mine, other in zip(slow.parameters(), fast.parameters(), strict=True):
                mine.lerp_(other, self._config.target_rate)


def _repeated(count: int, *tensors: Tensor) -> list[Tensor]:
    """Each `(..., D)` as often as actions are drawn, `(..., N, D)`."""
    return [tensor.unsqueeze(-2).expand(*tensor.shape[:-1], count, -1) for tensor in tensors]


def _moved(perturbation: Perturbation | None, features: Tensor, action: Tensor) -> Tensor:
    if perturbation is None:
        return action
    moved: Tensor = perturbation(features, action)
    return moved


def make_objective(config: BCConfig, width: int, *, from_scratch: bool = True) -> Copying:
    """Make the objective that a configuration asks for, over features of a width."""
    match config.objective:
        case "bc":
            return Copying()
        case "rwr":
            return RewardWeighted(config)
        case "awr":
            return AdvantageWeighted(config, from_scratch=from_scratch)
        case "bcq":
            return BatchConstrained(config, width, from_scratch=from_scratch)
