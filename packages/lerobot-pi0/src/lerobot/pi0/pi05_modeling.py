"""The network of Pi0.5: the normalisations of its expert follow the time.

Source: Physical Intelligence 2025, arXiv:2504.16054, section IV; parameter names are those of huggingface/lerobot.
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.pi0.config import PiFlowConfig
from lerobot.pi0.modeling import PiFlow
from lerobot.policies.networks.decoder import GEMMA, scaled_to_one
from lerobot.policies.networks.streams import Tokens


class AdaptiveRMSNorm(nn.Module):
    """Divides by the root of the mean square; a condition says scale and shift, and a gate for what comes of it.

    Args:
        width: of what is normalised, and of the condition.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 3 * width)
        self.eps = eps

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise `(B, L, width)`.

        Args:
            x: what is normalised.
            condition: `(B, 1, width)` or `(B, L, width)` float32.

        Returns:
            The same shape, and the gate `(B, 1 or L, width)`, in the type of `x`.
        """
        scale, shift, gate = self.dense(condition).chunk(3, dim=-1)
        return (scaled_to_one(x, self.eps) * (1 + scale) + shift).to(x.dtype), gate.to(x.dtype)


ADAPTIVE_GEMMA = replace(GEMMA, norm=AdaptiveRMSNorm)


class PI05(PiFlow):
    """The expert reads actions alone; the state is in the prompt, and the time in its normalisations."""

    def __init__(self, config: PiFlowConfig) -> None:
        super().__init__(config, ADAPTIVE_GEMMA)
        width = config.expert.width
        self.time_mlp_in = nn.Linear(width, width)
        self.time_mlp_out = nn.Linear(width, width)
        for module in self.modules():
            if isinstance(module, AdaptiveRMSNorm):
                nn.init.zeros_(module.dense.weight)

    def suffix(self, state: Tensor, actions: Tensor, time: Tensor) -> tuple[Tokens, Tensor]:
        """See `PiFlow.suffix`; the time may be one for each action, `(B, T)`."""
        del state
        waves = self._waves(time if time.ndim == 2 else time[:, None])
        condition = F.silu(self.time_mlp_out(F.silu(self.time_mlp_in(waves))))
        return self._tokens(self.action_in_proj(actions), [0]), condition
