"""What a new chunk continues, and what a policy adds to say that it can."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor

from lerobot.core.config.rtc import RTCConfig

Mode = Literal["guided", "trained"]


@dataclass(frozen=True, slots=True)
class Continuation:
    """The chunk that is being executed while a new one is predicted.

    Attributes:
        previous: what is left of it, `(B, T', Da)`, normalised as the policy predicts: entry 0 belongs to the tick of
            the observation, which is entry 0 of the new chunk.
        delay: how many of its actions will have been executed when the new chunk takes over.
        settings: how much the rest counts.
    """

    previous: Tensor
    delay: int
    settings: RTCConfig


@runtime_checkable
class ContinuesChunks(Protocol):
    """What a policy adds to say that its chunks can continue one another: real-time chunking."""

    @property
    def rtc_modes(self) -> frozenset[Mode]:
        """How they can."""
        ...

    def continue_action_chunk(self, batch: Mapping[str, Any], continuation: Continuation) -> Tensor:
        """Predict the coming actions `(B, T, Da)` as `predict_action_chunk` does, continuing the chunk before.

        It is called under `torch.no_grad()`, not in inference mode: guidance differentiates the network.

        Args:
            batch: processed observation, as for `predict_action_chunk`.
            continuation: what the actions continue.
        """
        ...
