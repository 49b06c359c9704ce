"""Soft actor-critic, as HIL-SERL uses it."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import LeRobotError
from lerobot.hilserl.networks import DiscreteCritic, ObservationEncoder, mlp
from lerobot.hilserl.policy import GaussianActorPolicy
from lerobot.hilserl.sac_config import SACConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rl.algorithm import Algorithm, Sample
from lerobot.rl.transition import TransitionBatch
from lerobot.training.learner.gradients import clip_gradients

PENALTY = "discrete_penalty"
ENCODER = "encoder."
UPDATES = "updates"
"""Key of how many updates were done; the rest of the saved tensors have the published names."""


class CriticHead(nn.Module):
    """One critic behind the encoder.

    Args:
        inputs: numbers of observation and action.
        config: of the algorithm.
    """

    def __init__(self, inputs: int, config: SACConfig) -> None:
        super().__init__()
        layers = config.critic_network_kwargs.model_dump()
        self.net = mlp(inputs, layers)
        self.output_layer = nn.Linear(layers["hidden_dims"][-1], 1)
        nn.init.orthogonal_(self.output_layer.weight)

    def forward(self, seen: Tensor) -> Tensor:
        """Judge `(B, inputs)`: `(B,)`."""
        worth: Tensor = self.output_layer(self.net(seen))[:, 0]
        return worth


class CriticEnsemble(nn.Module):
    """Critics that see through one encoder.

    Args:
        encoder: the policy's.
        actions: numbers of an action.
        config: of the algorithm.
    """

    def __init__(self, encoder: ObservationEncoder, actions: int, config: SACConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.critics = nn.ModuleList(CriticHead(encoder.width + actions, config) for _ in range(config.num_critics))

    def forward(self, observation: Mapping[str, Tensor], action: Tensor, maps: Tensor | None = None) -> Tensor:
        """Judge actions, `(critics, B)`."""
        seen = torch.cat([self.encoder(observation, maps), action], dim=-1)
        return torch.stack([critic(seen) for critic in self.critics])


class SAC(Algorithm):
    """See `SACConfig`.

    The slow copies see through the encoder itself, as published. A penalty of the choice (`discrete_penalty`) counts in
    all batches of an update but the last, as published too.

    Args:
        config: settings.
        trained: a policy `gaussian_actor`.

    Raises:
        LeRobotError: it is another policy.

    Source:
        Haarnoja et al. 2018, arXiv:1812.05905; Luo et al. 2024, arXiv:2410.21845 (HIL-SERL); Chen et al. 2021,
        arXiv:2101.05982 (REDQ: several updates, some of the critics).
    """

    config: SACConfig

    def __init__(self, config: SACConfig, *, trained: PolicyWithProcessors) -> None:
        super().__init__(config, trained)
        policy = trained.policy
        if not isinstance(policy, GaussianActorPolicy):
            raise LeRobotError(f"SAC trains a policy gaussian_actor, not {policy.name!r}")
        self.policy = policy
        encoder, device = policy.encoder_critic, next(policy.parameters()).device
        actions = policy.config.output_features["action"].shape[0]
        self.critics = CriticEnsemble(encoder, actions, config)
        self.slow_critics = CriticEnsemble(encoder, actions, config)
        self.slow_critics.critics.load_state_dict(self.critics.critics.state_dict())
        self.slow_choices: DiscreteCritic | None = None
        if policy.discrete_critic is not None and policy.config.num_discrete_actions is not None:
            layers = policy.config.discrete_critic_network_kwargs.model_dump()
            self.slow_choices = DiscreteCritic(encoder, policy.config.num_discrete_actions, layers)
            self.slow_choices.load_state_dict(policy.discrete_critic.state_dict())
        self.log_alpha = nn.Parameter(torch.tensor([math.log(config.temperature_init)]))
        self.networks = nn.ModuleDict({"critic_ensemble": self.critics, "critic_target": self.slow_critics})
        if self.slow_choices is not None:
            self.networks["discrete_critic_target"] = self.slow_choices
        self.networks.register_parameter("log_alpha", self.log_alpha)
        self.networks.to(device)
        numbers = actions + policy.config.action_choices
        self.target_entropy = -numbers / 2 if config.target_entropy is None else config.target_entropy
        self.updates = 0
        self._make_optimizers()

    def _make_optimizers(self) -> None:
        config, policy = self.config, self.policy
        self.optimizers = {
            "actor": torch.optim.Adam(policy.actor_parameters(), lr=config.actor_lr),
            "critic": torch.optim.Adam(self.critics.parameters(), lr=config.critic_lr),
            "temperature": torch.optim.Adam([self.log_alpha], lr=config.temperature_lr),
        }
        if policy.discrete_critic is not None:
            self.optimizers["discrete_critic"] = torch.optim.Adam(
                policy.discrete_critic.parameters(), lr=config.critic_lr
            )

    @property
    def temperature(self) -> float:
        """Worth of entropy now."""
        return float(self.log_alpha.detach().exp())

    # --- learning ----------------------------------------------------------------------------------------------------

    def update(self, sample: Sample) -> dict[str, Tensor | float]:
        """See `Algorithm.update`: critics from every batch, the actor and the temperature from the last."""
        config, measured = self.config, dict[str, Tensor | float]()
        for number in range(config.utd_ratio):
            batch, is_last = sample(), number == config.utd_ratio - 1
            maps, next_maps = self._maps(batch.observation), self._maps(batch.next_observation)
            critic = self.critic_loss(batch, maps, next_maps)
            measured |= {"loss": critic, "critic_loss": critic}
            measured["critic_norm"] = self._follow("critic", critic, self.critics.parameters())
            if self.policy.discrete_critic is not None:
                choice = self.choice_loss(batch, maps, next_maps, penalised=not is_last)
                measured["discrete_critic_loss"] = choice
                self._follow("discrete_critic", choice, self.policy.discrete_critic.parameters())
            if is_last and self.updates % config.policy_update_freq == 0:
                for _ in range(config.policy_update_freq):
                    measured |= self._improve(batch, maps)
            self._trail()
        self.updates += 1
        return measured

    def _improve(self, batch: TransitionBatch, maps: Tensor | None) -> dict[str, Tensor | float]:
        """Make the actor better, and the temperature."""
        loss = self.actor_loss(batch, maps)
        self._follow("actor", loss, self.policy.actor.parameters())
        with torch.no_grad():
            _, likelihood = self.policy.actor(batch.observation, maps)
        heat = (-self.log_alpha.exp() * (likelihood + self.target_entropy)).mean()
        self._follow("temperature", heat, [self.log_alpha])
        return {
            "actor_loss": loss,
            "temperature_loss": heat,
            "temperature": self.temperature,
            "entropy": -likelihood.mean(),
        }

    def critic_loss(self, batch: TransitionBatch, maps: Tensor | None, next_maps: Tensor | None) -> Tensor:
        """Sum over the critics of their mean squared error."""
        config = self.config
        with torch.no_grad():
            following, likelihood = self.policy.actor(batch.next_observation, next_maps)
            worth = self.slow_critics(batch.next_observation, following, next_maps)
            if config.num_subsample_critics is not None:
                worth = worth[torch.randperm(config.num_critics)[: config.num_subsample_critics]]
            least = worth.min(dim=0).values
            if config.use_backup_entropy:
                least = least - self.temperature * likelihood
            wanted = batch.returns(config.discount) + batch.continuation(config.discount) * least
        found = self.critics(batch.observation, self._motion(batch.action[:, 0]), maps)
        errors: Tensor = (found - wanted).square().mean(dim=1).sum()
        return errors

    def choice_loss(
        self, batch: TransitionBatch, maps: Tensor | None, next_maps: Tensor | None, *, penalised: bool
    ) -> Tensor:
        """Mean squared error of the worth of choices that were made.

        Source:
            van Hasselt et al. 2016, arXiv:1509.06461 (double Q-learning).
        """
        critic, slow = self.policy.discrete_critic, self.slow_choices
        if critic is None or slow is None:
            raise ValueError("a policy without choices has no such loss")
        with torch.no_grad():
            best = critic(batch.next_observation, next_maps).argmax(dim=-1, keepdim=True)
            after = slow(batch.next_observation, next_maps).gather(1, best)[:, 0]
            reward = batch.returns(self.config.discount)
            if penalised and PENALTY in batch.extra:
                reward = reward + batch.extra[PENALTY][:, 0]
            wanted = reward + batch.continuation(self.config.discount) * after
        made = batch.action[:, 0, -1:].round().long()
        return F.mse_loss(critic(batch.observation, maps).gather(1, made)[:, 0], wanted)

    def actor_loss(self, batch: TransitionBatch, maps: Tensor | None) -> Tensor:
        """How much worth the actor's actions lack, and how little they vary."""
        action, likelihood = self.policy.actor(batch.observation, maps)
        worth = self.critics(batch.observation, action, maps).min(dim=0).values
        loss: Tensor = (self.temperature * likelihood - worth).mean()
        return loss

    def _motion(self, action: Tensor) -> Tensor:
        """What of an action is no choice."""
        choices = self.policy.config.action_choices
        return action[:, : action.shape[1] - choices]

    def _maps(self, observation: Mapping[str, Tensor]) -> Tensor | None:
        """Features of pictures, once for all networks, where nothing learned goes into them."""
        config = self.policy.config
        if not config.freeze_vision_encoder or not config.shared_encoder:
            return None
        with torch.no_grad():
            return self.policy.encoder_critic.maps(observation)

    def _follow(self, name: str, loss: Tensor, parameters: Iterable[nn.Parameter]) -> Tensor:
        optimizer = self.optimizers[name]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = clip_gradients(parameters, self.config.grad_clip_norm)
        optimizer.step()
        return norm

    @torch.no_grad()
    def _trail(self) -> None:
        """Let the slow copies follow; what they share with the critics stays as it is."""
        weight = self.config.critic_target_update_weight
        pairs: list[tuple[nn.Module, nn.Module]] = [(self.slow_critics.critics, self.critics.critics)]
        if self.slow_choices is not None and self.policy.discrete_critic is not None:
            critic = self.policy.discrete_critic
            pairs += [(self.slow_choices.net, critic.net), (self.slow_choices.output_layer, critic.output_layer)]
        for slow, fast in pairs:
            for mine, other in zip(slow.parameters(), fast.parameters(), strict=True):
                mine.mul_(1 - weight).add_(other, alpha=weight)

    # --- weights -----------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """See `Algorithm.state_dict`; the encoder is the policy's."""
        named = {key: value for key, value in self.networks.state_dict().items() if f".{ENCODER}" not in key}
        return {**named, UPDATES: torch.tensor([self.updates])}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """See `Algorithm.load_state_dict`; published files do not say how many updates were done."""
        super().load_state_dict({UPDATES: torch.zeros(1, dtype=torch.int64), **state})

    def _load(self, state: Mapping[str, Tensor]) -> None:
        own = {key: value for key, value in state.items() if key != UPDATES}
        self.networks.load_state_dict({**self.networks.state_dict(), **own})
        self.updates = int(state[UPDATES])
