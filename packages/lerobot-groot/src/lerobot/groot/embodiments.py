"""Layers that have weights of their own for every kind of robot.

Names are those of published checkpoints.

Source: NVIDIA 2025, arXiv:2503.14734, section 2.1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows


class EmbodimentLinear(nn.Module):
    """A linear layer per kind of robot."""

    def __init__(self, embodiments: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(embodiments, inputs, outputs))
        self.b = nn.Parameter(torch.zeros(embodiments, outputs))
        nn.init.normal_(self.W, std=0.02)

    def forward(self, x: Tensor, embodiment: Tensor) -> Tensor:
        """Map `(B, L, inputs)` to `(B, L, outputs)`; `embodiment` is `(B,)` int64."""
        return torch.bmm(x, self.W[embodiment]) + self.b[embodiment].unsqueeze(1)


class EmbodimentMLP(nn.Module):
    """Two such layers."""

    def __init__(self, embodiments: int, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layer1 = EmbodimentLinear(embodiments, inputs, hidden)
        self.layer2 = EmbodimentLinear(embodiments, hidden, outputs)

    def forward(self, x: Tensor, embodiment: Tensor) -> Tensor:
        """Map `(B, L, inputs)` to `(B, L, outputs)`; `embodiment` is `(B,)` int64."""
        found: Tensor = self.layer2(F.relu(self.layer1(x, embodiment)), embodiment)
        return found


class ActionEncoder(nn.Module):
    """Makes tokens of noisy actions and of how noisy they are."""

    def __init__(self, embodiments: int, actions: int, width: int) -> None:
        super().__init__()
        self.W1 = EmbodimentLinear(embodiments, actions, width)
        self.W2 = EmbodimentLinear(embodiments, 2 * width, width)
        self.W3 = EmbodimentLinear(embodiments, width, width)

    def forward(self, actions: Tensor, time: Tensor, embodiment: Tensor) -> Tensor:
        """Map `(B, T, actions)` at times `(B,)` int64 to `(B, T, width)`; `embodiment` is `(B,)` int64."""
        x = self.W1(actions, embodiment)
        waves = _waves(time, x.shape[-1]).to(x.dtype)[:, None].expand_as(x)
        found: Tensor = self.W3(F.silu(self.W2(torch.cat([x, waves], dim=-1), embodiment)), embodiment)
        return found


def _waves(time: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of times `(B,)`: `(B, width)` float32."""
    half = width // 2
    places = torch.arange(half, dtype=torch.float32, device=time.device)
    # In the order of operations of published weights' training: another one turns the fastest waves visibly.
    angles = time[:, None].float() * (-places * (torch.tensor(10_000.0).log().to(time.device) / half)).exp()
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
