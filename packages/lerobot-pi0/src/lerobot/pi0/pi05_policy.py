"""How Pi0.5 learns and acts."""

from collections.abc import Mapping
from typing import ClassVar

from lerobot.pi0.pi05_config import PI05Config
from lerobot.pi0.pi05_modeling import PI05
from lerobot.pi0.policy import PiFlowPolicy
from lerobot.policies.checkpoint.weights import Weights


class PI05Policy(PiFlowPolicy):
    """Pi0.5: the state is in the prompt.

    Source:
        Physical Intelligence 2025, arXiv:2504.16054.
    """

    config: PI05Config

    network = PI05
    renamed: ClassVar[Mapping[str, str]] = {
        "action_time_mlp_in.": "time_mlp_in.",
        "action_time_mlp_out.": "time_mlp_out.",
    }

    @property
    def longest_delay(self) -> int:
        """See `FlowVLAPolicy.longest_delay`."""
        return self.config.rtc_training_max_delay

    def published(self, weights: Weights) -> Weights:
        """See `PiFlowPolicy.published`; a projection of the state, as converted files have it, says nothing here."""
        named = super().published(weights)
        return {name: tensor for name, tensor in named.items() if not name.startswith("model.state_proj.")}
