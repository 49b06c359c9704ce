"""A chunk that begins as the one that is being executed goes on: GR00T N1.7's own way of real-time chunking.

Its first actions are those of the chunk before and stay so; those after them begin there, and are the freer the later
they come.

Source: the formulas of huggingface/lerobot 0.6, which are those of NVIDIA's program.
"""

import torch
from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.policies.rtc.continuation import Continuation


class Overlap:
    """How far a chunk is that of before.

    Args:
        continuation: what is continued.
        rate: how soon actions are free.
    """

    def __init__(self, continuation: Continuation, rate: float) -> None:
        self._previous = continuation.previous[:, : continuation.settings.execution_horizon]
        self._delay, self._rate = continuation.delay, rate

    def put_into(self, noise: Tensor) -> Tensor:
        """Put the actions of before in the place of noise `(B, T, max_action_dim)`, filled up with zeros; a new tensor.

        Raises:
            LeRobotError: they are of other rows, or wider.
        """
        previous, steps = self._previous, self._steps(noise)
        if previous.shape[0] != noise.shape[0] or previous.shape[2] > noise.shape[2]:
            raise LeRobotError(
                f"a chunk of the shape {tuple(noise.shape)} cannot continue one of {tuple(previous.shape)}",
                expected="as many rows, and at most as many numbers per action",
            )
        given = torch.zeros_like(noise[:, :steps])
        given[..., : previous.shape[2]] = previous[:, :steps]
        return torch.cat([given, noise[:, steps:]], dim=1)

    def freedom(self, velocity: Tensor) -> Tensor:
        """Give what velocities `(B, T, max_action_dim)` count, `(T, 1)`: 0 for what stays, 1 for what is free."""
        steps = self._steps(velocity)
        held = min(max(self._delay, 0), steps)
        times = torch.linspace(0.0, 1.0, steps - held + 2, device=velocity.device)
        ramp = 1 - torch.exp(-self._rate * times)
        found = torch.ones(velocity.shape[1], device=velocity.device)
        found[:held] = 0.0
        found[held:steps] = (ramp / ramp[-1])[1:-1]
        return found[:, None].to(velocity.dtype)

    def _steps(self, chunk: Tensor) -> int:
        return min(self._previous.shape[1], chunk.shape[1])
