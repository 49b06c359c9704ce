"""Who can tell what a moment is worth, where neither a person nor an environment does."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@runtime_checkable
class RewardModel(Protocol):
    """Gives rewards for what is seen; of a recording, or while a robot acts.

    A classifier of success gives the probability that the task is solved. `RewardModelConfig.success_from` says which
    rewards are those of success.
    """

    @property
    def inputs(self) -> Sequence[str]:
        """What it looks at: keys of a dataset, such as `observation.images.front`."""
        ...

    def reset(self) -> None:
        """Forget the episode before."""
        ...

    def rewards(self, frames: "Mapping[str, NDArray[Any]]", task: str) -> "NDArray[np.float32]":
        """Judge the next frames of an episode.

        Frames of an episode come in order, one or more per call, and none twice.

        Args:
            frames: every one of `inputs`, `(N, ...)`: images `(N, H, W, C)` uint8, numbers as a dataset has them.
            task: what is to be done, in words; may be empty.

        Returns:
            `(N,)` float32.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape; names it.
        """
        ...
