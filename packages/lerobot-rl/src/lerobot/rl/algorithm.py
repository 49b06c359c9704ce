"""What learns from reward: the protocol of an algorithm, which is one file with its networks and losses."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from lerobot.core.errors import CheckpointError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rl.config import AlgorithmConfig
from lerobot.rl.transition import TransitionBatch

Sample = Callable[[], TransitionBatch]
"""Gives a new batch, on the policy's device, pictures float32 in [0, 1], observations and actions scaled."""


class Algorithm(ABC):
    """Makes a policy better with transitions.

    A subclass makes its networks and optimizers in `__init__`, and changes them in `update`. Everything that acts
    belongs to the policy: its `select_action` explores as the algorithm needs it.

    Args:
        config: settings.
        trained: the policy, on its device, and its processors.

    Attributes:
        networks: what learns beside the policy, such as critics and their slow copies; saved with every checkpoint.
        optimizers: by name; each has a folder of that name in a checkpoint.
    """

    networks: nn.Module
    optimizers: Mapping[str, Optimizer]

    def __init__(self, config: AlgorithmConfig, trained: PolicyWithProcessors) -> None:
        self.config = config
        self.trained = trained

    @abstractmethod
    def update(self, sample: Sample) -> dict[str, Tensor | float]:
        """Learn once.

        Args:
            sample: gives batches; asked as often as the algorithm wants to.

        Returns:
            Measurements: `loss`, and whatever else says how it goes.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """Weights of `networks`, by the names they are saved under."""
        return dict(self.networks.state_dict())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over weights that `state_dict` gave.

        Raises:
            CheckpointError: some are missing, unknown or of another shape; names them.
        """
        own = self.state_dict()
        odd = sorted(
            key
            for key in own.keys() | state.keys()
            if key not in own or key not in state or own[key].shape != state[key].shape
        )
        if odd:
            raise CheckpointError(
                f"the saved weights of {self.config.type} do not fit: {', '.join(odd[:5])}",
                expected=f"the {len(own)} of this configuration",
            )
        self._load(state)

    def _load(self, state: Mapping[str, Tensor]) -> None:
        self.networks.load_state_dict(dict(state))
