"""Chunks whose beginning is given: policies that were trained for delays.

Source: Black et al. 2025, arXiv:2512.05964 (training-time action conditioning).
"""

import torch
from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.policies.rtc.continuation import Continuation


class Prefix:
    """The actions that are executed before a new chunk takes over; they stay as they are while it is made.

    Before and after each step of the integration call `hold`, and give the network `times`.

    Args:
        continuation: what is continued; fewer numbers per action than in `noise` are filled up with zeros.
        noise: what sampling starts from, `(B, T, Da)`.
        longest: longest delay the policy was trained for.

    Raises:
        LeRobotError: the delay is longer, reaches the end of the chunk, or the previous chunk does not cover it; or
            that one is of other rows, wider, or not finite.
    """

    def __init__(self, continuation: Continuation, noise: Tensor, longest: int) -> None:
        previous, delay = continuation.previous, continuation.delay
        most = min(longest, noise.shape[1] - 1, previous.shape[1])
        if not 0 <= delay <= most:
            raise LeRobotError(
                f"a delay of {delay} actions",
                expected=f"0 to {most}: the policy was trained for {longest}, its chunk has {noise.shape[1]} actions, "
                f"and {previous.shape[1]} are left of the previous one",
            )
        if previous.shape[0] != noise.shape[0] or previous.shape[2] > noise.shape[2]:
            raise LeRobotError(
                f"a chunk of the shape {tuple(noise.shape)} cannot continue one of {tuple(previous.shape)}",
                expected="as many rows, and at most as many numbers per action",
            )
        self._given = torch.zeros_like(noise[:, :delay])
        self._given[..., : previous.shape[2]] = previous[:, :delay]
        if not self._given.isfinite().all():
            raise LeRobotError("the previous chunk is not finite", expected="numbers")

    def hold(self, noisy: Tensor) -> Tensor:
        """Put the given actions in their place in `(B, T, Da)`; a new tensor."""
        return torch.cat([self._given.to(noisy.dtype), noisy[:, self._given.shape[1] :]], dim=1)

    def times(self, time: Tensor, steps: int, *, data_at: float = 0.0) -> Tensor:
        """Give the time of each action, `(B, steps)`: that of finished actions where they are given.

        Args:
            time: of the others, `(B,)`.
            steps: actions of the chunk.
            data_at: time of finished actions.
        """
        times = time[:, None].repeat(1, steps)
        times[:, : self._given.shape[1]] = data_at
        return times


def draw_delays(rows: int, longest: int, device: torch.device | str = "cpu") -> Tensor:
    """Draw a delay for each row of a batch to learn from: 0 to `longest`, all as likely, `(rows,)` int64."""
    return torch.randint(0, longest + 1, (rows,), device=device)


def given(delays: Tensor, steps: int) -> Tensor:
    """Mark the actions that are given, and have no part in the loss: `(B, steps)` bool.

    Args:
        delays: `(B,)`, of `draw_delays`.
        steps: actions of the chunk.
    """
    return torch.arange(steps, device=delays.device) < delays[:, None]
