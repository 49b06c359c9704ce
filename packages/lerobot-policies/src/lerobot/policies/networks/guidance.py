"""Real-time chunking: a new chunk is drawn towards what is still to be executed of the last one.

Source: Black, Galliker, Levine 2025, arXiv:2506.07339; without the network's derivative, and with the schedules, as in
huggingface/lerobot 0.6.
"""

import math

import torch
from torch import Tensor

from lerobot.policies.networks.flow_matching import Velocity
from lerobot.policies.rtc import RTCConfig, Schedule


def guided(
    velocity: Velocity,
    config: RTCConfig,
    leftover: Tensor,
    shape: torch.Size,
    *,
    delay: int = 0,
    horizon: int | None = None,
) -> Velocity:
    """Draw a velocity of `Flow.FROM_ONE` towards the actions that are left of the last chunk.

    Args:
        velocity: of the network.
        config: how strongly.
        leftover: `(T', Da)` or `(B, T', Da)`, normalised; may be shorter, longer or narrower than a chunk.
        shape: of the chunk, `(B, T, Da)`.
        delay: actions that will have been executed before the new chunk is there: they stay as they are.
        horizon: actions that are drawn at all; None for the configured ones.

    Returns:
        The guided velocity.
    """
    past = leftover if leftover.ndim == 3 else leftover[None]
    horizon = min(config.execution_horizon if horizon is None else horizon, past.shape[1])
    rows, columns = min(past.shape[1], shape[1]), min(past.shape[2], shape[2])
    wanted = past.new_zeros(shape)
    wanted[:, :rows, :columns] = past[:, :rows, :columns]
    weights = prefix_weights(config.prefix_attention_schedule, delay, horizon, shape[1]).to(wanted)[:, None]

    def drawn(point: Tensor, time: Tensor) -> Tensor:
        scale = _strength(float(time[0]), config.max_guidance_weight)
        if not config.use_jacobian:
            found = velocity(point, time)
            error = (wanted - (point - time.view(-1, 1, 1) * found)) * weights
            return found - scale * error
        with torch.enable_grad():
            start = point.detach().requires_grad_()
            found = velocity(start, time)
            end = start - time.view(-1, 1, 1) * found
            error = ((wanted - end) * weights).detach()
            (correction,) = torch.autograd.grad(end, start, error)
        return found.detach() - scale * correction

    return drawn


def _strength(time: float, largest: float) -> float:
    """Weight of the correction at a time: without bound at the noise, so it is limited."""
    tau = 1.0 - time
    if tau <= 0.0 or time <= 0.0:
        return largest
    return min((1 - tau) / tau * ((1 - tau) ** 2 + tau**2) / (1 - tau) ** 2, largest)


def prefix_weights(schedule: Schedule, delay: int, horizon: int, length: int) -> Tensor:
    """How strongly each action of a chunk is drawn to the last chunk's: `(length,)` from 1 down to 0.

    Args:
        schedule: course from the delay to the horizon.
        delay: actions with the weight 1; at most `horizon`.
        horizon: actions with a weight at all.
        length: of the chunk.
    """
    delay = min(delay, horizon)
    if schedule == "ZEROS":
        ramp = torch.zeros(0)
    elif schedule == "ONES":
        ramp = torch.ones(max(min(horizon, length) - delay, 0))
    else:
        ramp = torch.linspace(1, 0, max(min(horizon, length) - delay, 0) + 2)[1:-1]
        ramp = ramp * torch.expm1(ramp) / (math.e - 1) if schedule == "EXP" else ramp
    weights = torch.zeros(length)
    weights[:delay] = 1.0
    weights[delay : delay + len(ramp)] = ramp
    return weights
