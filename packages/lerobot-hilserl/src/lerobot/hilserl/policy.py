"""How the policy acts, and imitates."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import FeatureMismatchError
from lerobot.hilserl.config import GaussianActorConfig
from lerobot.hilserl.networks import DiscreteCritic, ObservationEncoder, mlp
from lerobot.policies.features import ACTION
from lerobot.policies.policy import PreTrainedPolicy

NEARLY_ONE = 1 - 1e-6
"""Largest action that has a likelihood: 1 itself lies infinitely far out before it is squashed."""


class Actor(nn.Module):
    """A normal distribution of actions with independent numbers, squashed by tanh.

    What published checkpoints give as `std` is the variance.

    Args:
        encoder: what it sees through.
        config: of the policy.
    """

    def __init__(self, encoder: ObservationEncoder, config: GaussianActorConfig) -> None:
        super().__init__()
        layers, head = config.actor_network_kwargs.model_dump(), config.policy_kwargs
        self.encoder = encoder
        self.network = mlp(encoder.width, layers)
        actions, width = config.output_features[ACTION].shape[0], layers["hidden_dims"][-1]
        self.mean_layer = nn.Linear(width, actions)
        self.std_layer = nn.Linear(width, actions)
        for layer in (self.mean_layer, self.std_layer):
            nn.init.uniform_(layer.weight, -head.init_final, head.init_final)
            nn.init.uniform_(layer.bias, -head.init_final, head.init_final)
        self._least, self._most = head.std_min, head.std_max
        self._detached = config.shared_encoder

    def distribution(
        self, observation: Mapping[str, Tensor], maps: Tensor | None = None, *, imitates: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation before squashing, `(B, Da)` each.

        Beside critics, what pictures go through learns from them alone where it is shared; imitating, there are none.

        Source:
            Yarats et al. 2021, arXiv:1910.01741 (SAC+AE: no gradient of the actor in a shared encoder).
        """
        hidden = self.network(self.encoder(observation, maps, detached=self._detached and not imitates))
        variance = self.std_layer(hidden).exp().clamp(self._least, self._most)
        return self.mean_layer(hidden), variance.sqrt()

    def forward(self, observation: Mapping[str, Tensor], maps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Draw actions `(B, Da)` in (-1, 1), and give the logarithm of each's likelihood, `(B,)`."""
        mean, deviation = self.distribution(observation, maps)
        wide = mean + deviation * torch.randn_like(mean)
        return wide.tanh(), log_likelihood(wide, mean, deviation)


def log_likelihood(wide: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Logarithm of the likelihood of squashed actions, `(B,)`.

    Args:
        wide: the actions before squashing, `(B, Da)`.
        mean: of the distribution.
        deviation: its standard deviation.

    Source:
        Haarnoja et al. 2018, arXiv:1812.05905, appendix C; the logarithm of tanh's slope as softplus, without loss of
        digits.
    """
    normal = -0.5 * ((wide - mean) / deviation).square() - deviation.log() - 0.5 * math.log(2 * math.pi)
    slope = 2 * (math.log(2) - wide - F.softplus(-2 * wide))
    return (normal - slope).sum(dim=-1)


class GaussianActorPolicy(PreTrainedPolicy):
    """The actor of HIL-SERL, with the critic that makes choices such as a gripper's.

    Args:
        config: see `GaussianActorConfig`.
        from_scratch: draw weights as published; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.
        LeRobotError: its image encoder cannot be made.

    Source:
        Luo et al. 2024, arXiv:2410.21845 (HIL-SERL); Haarnoja et al. 2018, arXiv:1812.05905 (SAC).
    """

    config: GaussianActorConfig

    def __init__(self, config: GaussianActorConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        config.validate_features()
        self.encoder_critic = ObservationEncoder(config, from_scratch=from_scratch)
        shared = config.shared_encoder
        self.encoder_actor = self.encoder_critic if shared else ObservationEncoder(config, from_scratch=from_scratch)
        self.actor = Actor(self.encoder_actor, config)
        self.discrete_critic: DiscreteCritic | None = None
        if config.num_discrete_actions is not None:
            layers = config.discrete_critic_network_kwargs.model_dump()
            self.discrete_critic = DiscreteCritic(self.encoder_critic, config.num_discrete_actions, layers)

    # --- acting ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """It remembers nothing."""

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Draw the action `(B, Da)` of this tick, normalised, a choice at its end; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        if self.training:
            self.eval()
        self.require_inputs(batch)
        maps = self.actor.encoder.maps(batch) if self.config.shared_encoder else None
        action, _ = self.actor(batch, maps)
        if self.discrete_critic is None:
            return torch.as_tensor(action)
        choice = self.discrete_critic(batch, maps).argmax(dim=-1, keepdim=True)
        return torch.cat([action, choice.to(action.dtype)], dim=-1)

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Draw one action, `(B, 1, Da)`: it plans no further."""
        return self.select_action(batch).unsqueeze(1)

    # --- imitating ---------------------------------------------------------------------------------------------------

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute how unlikely recorded actions are: with this loss `lerobot train` prepares it by imitation.

        Args:
            batch: inputs `(B, ...)` and `action` `(B, Da)` normalised, a choice at its end.

        Returns:
            The scalar loss, and its parts.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        whole = self.config.output_features[ACTION].shape[0] + self.config.action_choices
        action = batch.get(ACTION)
        if action is None or tuple(action.shape[1:]) != (whole,):
            found = None if action is None else tuple(action.shape)
            raise FeatureMismatchError(f"the batch has the actions {found}", keys=[ACTION], expected=f"(B, {whole})")
        mean, deviation = self.actor.distribution(batch, imitates=True)
        squashed = action[:, : mean.shape[1]].clamp(-NEARLY_ONE, NEARLY_ONE)
        loss = -log_likelihood(squashed.atanh(), mean, deviation).mean()
        parts: dict[str, Any] = {"likelihood_loss": loss.detach()}
        if self.discrete_critic is not None:
            choices = F.cross_entropy(self.discrete_critic(batch), action[:, -1].round().long())
            loss, parts["choice_loss"] = loss + choices, choices.detach()
        return loss, parts

    def actor_parameters(self) -> Iterable[nn.Parameter]:
        """What the actor learns with: all of its own, without an encoder that the critics share with it."""
        shared = {id(each) for each in self.encoder_critic.parameters()} if self.config.shared_encoder else set()
        return (each for each in self.actor.parameters() if id(each) not in shared)
