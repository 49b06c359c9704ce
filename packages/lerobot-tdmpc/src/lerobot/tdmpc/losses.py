"""What is learned: where actions lead, what they bring, what they are worth, and to act as the best of them.

Source: Feng et al. 2023 (FOWM), arXiv:2310.16029, equations 1 to 3 and section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.modeling import TaskModel

MOST = 100.0
"""Largest weight of an action that is better than was to be expected."""


@dataclass(frozen=True, slots=True)
class Experience:
    """What happened in `T` steps, time first.

    Attributes:
        observations: inputs before each step and after the last, `(T + 1, B, ...)`.
        actions: `(T, B, Da)`, normalised.
        rewards: `(T, B)`, each for the action of its step.
        observed: which observations lie in the episode, `(T + 1, B)` bool.
        acted: which actions do, `(T, B)` bool.
        rewarded: which rewards do, `(T, B)` bool.
    """

    observations: Mapping[str, Tensor]
    actions: Tensor
    rewards: Tensor
    observed: Tensor
    acted: Tensor
    rewarded: Tensor


def losses(
    config: TDMPCConfig, model: TaskModel, slow: TaskModel, seen: Experience
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss, the weighted sum of five.

    Args:
        config: their weights.
        model: what learns.
        slow: its slow copy, which says what is to be predicted.
        seen: what happened.

    Returns:
        The scalar loss, and its parts without gradients.
    """
    states, expected_rewards = _imagined(model, seen)
    before, after = states[:-1], states[1:]
    values, worth = model.values(before, seen.actions), model.value(before)
    with torch.no_grad():
        following = {key: each[1:] for key, each in seen.observations.items()}
        reached = slow.encode(following)
        returns = seen.rewards + config.discount * model.value(model.encode(following))
        # Two draws of judges: one for the value of states, one for how much better an action is.
        judged = slow.low_value(before, seen.actions)
        advantage = slow.low_value(before, seen.actions) - model.value(before)

    steps = torch.arange(len(seen.actions), device=before.device)[:, None]
    counts = config.temporal_decay_coeff**steps * seen.observed[0] * seen.acted
    consistency = _total((after - reached).square().mean(-1), counts * seen.observed[1:])
    reward = _total((expected_rewards - seen.rewards).square(), counts * seen.rewarded)
    action_value = _total((values - returns).square().sum(0), counts * seen.rewarded * seen.observed[1:])
    state_value = _total(_expectile(judged - worth, config.expectile_weight), counts)
    # The policy learns how to act in a state, and no state to suit it.
    error = (model.act(before.detach()) - seen.actions).square().sum(-1)
    policy = ((advantage * config.advantage_scaling).exp().clamp(max=MOST) * error * counts).mean()

    loss = (
        config.consistency_coeff * consistency
        + config.reward_coeff * reward
        + config.value_coeff * (action_value + state_value)
        + config.pi_coeff * policy
    )
    parts = {
        "Q": values.mean(),
        "V": worth.mean(),
        "advantage": advantage[0].mean(),
        "consistency_loss": consistency,
        "reward_loss": reward,
        "Q_value_loss": action_value,
        "V_value_loss": state_value,
        "pi_loss": policy,
        "sum_loss": loss * config.horizon,
    }
    return loss, {name: part.detach() for name, part in parts.items()}


def _imagined(model: TaskModel, seen: Experience) -> tuple[Tensor, Tensor]:
    """States `(T + 1, B, L)` that follow from the first observation and the actions, and their rewards `(T, B)`."""
    states, rewards = [model.encode({key: each[0] for key, each in seen.observations.items()})], []
    for action in seen.actions:
        state, reward = model.step(states[-1], action)
        states.append(state)
        rewards.append(reward)
    return torch.stack(states), torch.stack(rewards)


def _total(errors: Tensor, counts: Tensor) -> Tensor:
    """Errors of all steps, of which each counts so much, `(T, B)`: summed over time, the mean of the rows."""
    return (errors * counts).sum(0).mean()


def _expectile(missing: Tensor, weight: float) -> Tensor:
    """Squares, of what is missing with a weight, of what is too much with the rest of 1."""
    return torch.where(missing > 0, weight, 1 - weight) * missing.square()
