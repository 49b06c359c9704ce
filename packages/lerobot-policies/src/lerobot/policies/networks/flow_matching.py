"""Flow matching: a network learns the velocity that carries noise to data, and acting follows it.

Two families name the ends of the way differently, so that every function here is one of a `Flow`: `FROM_ONE` has the
noise at time 1 and the data at 0 (pi0, SmolVLA), `FROM_ZERO` the noise at 0 and the data at 1 (GR00T, Multi-Task DiT).

Source: Lipman et al. 2022, arXiv:2210.02747; Black et al. 2024, arXiv:2410.24164, section IV.
"""

import math
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from lerobot.policies.rtc.guidance import Guidance

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From a point of the way `(B, ...)` and its time `(B,)` float32 to the velocity there `(B, ...)`."""


class Flow(Enum):
    """Which way time runs from noise to data."""

    FROM_ONE = -1
    FROM_ZERO = 1

    def point(self, noise: Tensor, data: Tensor, time: Tensor) -> Tensor:
        """Give the point on the straight way between noise and data.

        Args:
            noise: `(B, ...)`.
            data: `(B, ...)`.
            time: `(B,)`, or one for each entry of further axes.
        """
        time = time.view(*time.shape, *[1] * (data.ndim - time.ndim))
        start, end = (data, noise) if self is Flow.FROM_ONE else (noise, data)
        return time * end + (1 - time) * start

    def velocity(self, noise: Tensor, data: Tensor) -> Tensor:
        """Give the velocity along that way, what a network learns: the change of the point per time."""
        return noise - data if self is Flow.FROM_ONE else data - noise

    def integrate(
        self,
        velocity: Velocity,
        noise: Tensor,
        steps: int,
        guidance: Guidance | None = None,
        method: Literal["euler", "rk4"] = "euler",
    ) -> Tensor:
        """Follow a velocity from noise to data, in equal steps.

        Args:
            velocity: of the network.
            noise: `(B, ...)`.
            steps: how many.
            guidance: pulls the way towards a chunk that is being executed.
            method: Euler's, or the classical one of Runge and Kutta, which asks for the velocity four times a step.
        """
        start, change = (1.0, -1.0 / steps) if self is Flow.FROM_ONE else (0.0, 1.0 / steps)
        data_at: Literal[0, 1] = 0 if self is Flow.FROM_ONE else 1

        def field(point: Tensor, now: float) -> Tensor:
            time = torch.full((noise.shape[0],), now, dtype=torch.float32, device=noise.device)
            if guidance is None:
                return velocity(point, time)
            return guidance.velocity(point, now, partial(_at, velocity, time), data_at=data_at)

        point = noise
        for step in range(steps):
            now = start + step * change
            found = field(point, now)
            if method == "rk4":
                half = now + change / 2
                second = field(point + change / 2 * found, half)
                third = field(point + change / 2 * second, half)
                last = field(point + change * third, now + change)
                found = (found + 2 * second + 2 * third + last) / 6
            point = point + change * found
        return point


def _at(velocity: Velocity, time: Tensor, point: Tensor) -> Tensor:
    return velocity(point, time)


def beta_times(
    count: int,
    device: torch.device,
    *,
    alpha: float = 1.5,
    beta: float = 1.0,
    scale: float = 0.999,
    offset: float = 1e-3,
) -> Tensor:
    """Draw times `(count,)` float32 from a beta distribution, scaled and moved, so that they keep off one end.

    They are drawn on the CPU: not every device can, and all then draw the same.

    Args:
        count: how many.
        device: where they are needed.
        alpha: of the distribution; the larger, the more often times are near 1.
        beta: of the distribution.
        scale: factor.
        offset: added.
    """
    distribution = torch.distributions.Beta(torch.tensor(alpha), torch.tensor(beta))
    return (distribution.sample((count,)) * scale + offset).to(device)


def time_waves(time: Tensor, width: int, min_period: float, max_period: float) -> Tensor:
    """Describe times by waves whose periods form a geometric series: first all sines, then all cosines.

    Args:
        time: `(...)`.
        width: of the description; even.
        min_period: shortest period.
        max_period: longest period.

    Returns:
        `(..., width)` in the type of `time`.
    """
    # MPS has no float64, in which the periods are computed wherever there is some.
    exact = torch.float32 if time.device.type == "mps" else torch.float64
    fraction = torch.linspace(0.0, 1.0, width // 2, dtype=exact, device=time.device)
    periods = min_period * (max_period / min_period) ** fraction
    angles = time[..., None].to(exact) * (2 * math.pi / periods)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).to(time.dtype)
