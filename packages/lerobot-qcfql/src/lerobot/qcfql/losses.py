"""What is learned: what chunks are worth, what was done, and to do what is worth most without leaving it far.

Source: Li, Zhou, Levine 2025, arXiv:2507.07969, equations 4 to 8; Park, Li, Levine 2025, arXiv:2502.02538.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from lerobot.policies.networks.flow_matching import Flow
from lerobot.qcfql.config import QCFQLConfig
from lerobot.qcfql.modeling import Behaviour, Critics, Networks, Observations


@dataclass(frozen=True, slots=True)
class Chunks:
    """What was done, in `B` chunks of `h` steps.

    Attributes:
        before: inputs at the first action, `(B, ...)`.
        after: inputs after the last action, `(B, ...)`.
        actions: `(B, h, Da)` in [-1, 1]; 0 where they lie beyond the episode.
        rewards: `(B, h)`, each for the action of its step.
        solved: the task was solved by this action, so that nothing follows, `(B, h)` bool.
        acted: actions that lie in the episode, `(B, h)` bool.
        continued: `after` lies in the episode, `(B,)` bool.
    """

    before: Observations
    after: Observations
    actions: Tensor
    rewards: Tensor
    solved: Tensor
    acted: Tensor
    continued: Tensor


@dataclass(frozen=True, slots=True)
class Draws:
    """Everything random about a loss.

    Attributes:
        start: noise the behaviour's ways start from, `(B, D)`.
        time: where on those ways, `(B,)` in [0, 1].
        copied: noise whose chunk the one-step network copies, `(B, D)`.
        following: noise of the action that follows a chunk, as `Networks.act` takes it.
    """

    start: Tensor
    time: Tensor
    copied: Tensor
    following: Tensor

    @classmethod
    def of(cls, networks: Networks, actions: Tensor) -> "Draws":
        """Draw from torch's generator, for actions `(B, h, Da)`."""
        flat = actions.flatten(1)
        return cls(
            torch.randn_like(flat),
            torch.rand(len(flat), device=flat.device),
            torch.randn_like(flat),
            networks.noise(len(flat), flat),
        )


def losses(
    config: QCFQLConfig, networks: Networks, slow: Critics, seen: Chunks, draws: Draws
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss, the sum of what critics, behaviour and the one-step network learn.

    Args:
        config: weights and discount.
        networks: what learns.
        slow: the slow copy of the critics.
        seen: what was done.
        draws: what is drawn.

    Returns:
        The scalar loss, and its parts without gradients.
    """
    described, judged = networks.flow.sight(seen.before), networks.critic.sight(seen.before)
    with torch.no_grad():
        wanted = returns(config, networks, slow, seen, draws.following)
    values = networks.critic(judged, seen.actions.flatten(1))
    # Of a chunk after which the recording breaks off, nobody knows what followed.
    whole = seen.acted.all(1) & (seen.continued | seen.solved[:, -1])
    critic = ((values - wanted).square() * whole).mean()
    behaviour = _behaviour_loss(networks.flow, described, seen, draws)
    loss, parts = critic + behaviour, {"critic_loss": critic, "flow_loss": behaviour, "Q": values.mean()}
    if networks.one_step is not None:
        with torch.no_grad():
            copied = networks.flow.chunks(described, draws.copied)
        chunks = networks.one_step(networks.one_step.sight(seen.before), draws.copied)
        distillation = (chunks - copied).square().mean()
        worth = _worth(networks.critic, judged.detach(), chunks.clamp(-1, 1))
        loss = loss + config.alpha * distillation - worth
        parts |= {"distillation_loss": distillation, "Q_one_step": worth}
    return loss, {name: part.detach() for name, part in parts.items()}


def returns(config: QCFQLConfig, networks: Networks, slow: Critics, seen: Chunks, following: Tensor) -> Tensor:
    """Compute what chunks were worth, `(B,)`: their rewards, and what is expected of the chunk that follows."""
    steps = torch.arange(config.chunk_size, device=seen.rewards.device)
    rewards = ((seen.rewards + config.reward_offset) * config.discount**steps).sum(1)
    expected = slow.judge(slow.sight(seen.after), networks.act(seen.after, following))
    return rewards + config.discount**config.chunk_size * ~seen.solved.any(1) * expected


def _behaviour_loss(flow: Behaviour, described: Tensor, seen: Chunks, draws: Draws) -> Tensor:
    chunks = seen.actions.flatten(1)
    velocity = flow.velocity(described, Flow.FROM_ZERO.point(draws.start, chunks, draws.time), draws.time)
    errors = (velocity - Flow.FROM_ZERO.velocity(draws.start, chunks)).square()
    return (errors.view_as(seen.actions) * seen.acted[..., None]).mean()


def _worth(critic: Critics, judged: Tensor, chunks: Tensor) -> Tensor:
    """What chunks are worth on average, to critics that do not learn to like what is done."""
    frozen = {name: value.detach() for name, value in critic.named_parameters()}
    worth: Tensor = functional_call(critic, frozen, (judged, chunks))
    return worth.mean()
