"""The Policy protocol: what the control loop and evaluation need of a policy, free of any array library."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Policy(Protocol):
    """Something that chooses actions from observations.

    Batches are mappings from feature key to array with a leading batch axis `B`; the array type is the policy's own
    (torch tensors for everything built on `lerobot-policies`).
    """

    name: str
    """Registered name of the policy."""

    def reset(self) -> None:
        """Forget everything about the episode so far: queues, hidden states, ensembling weights."""
        ...

    def select_action(self, batch: Mapping[str, Any]) -> Any:
        """Choose the action of this step.

        Args:
            batch: processed observation, every entry `(B, ...)`; not changed.

        Returns:
            `(B, Da)`, normalised; the post-processor turns it into the robot's units.
        """
        ...

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Any:
        """Predict the coming actions, `(B, T, Da)`, without touching the action queue."""
        ...

    def forward(self, batch: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Compute the training loss.

        Returns:
            The scalar loss, and its parts for the log.
        """
        ...

    def state_dict(self) -> Mapping[str, Any]:
        """Every weight and buffer by name, in the field's published key names."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Take over weights; every name must be present and of the right shape."""
        ...
