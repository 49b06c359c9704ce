"""How Diffusion Policy learns and acts."""

from collections.abc import Mapping

from torch import Tensor

from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.modeling import DiffusionModel
from lerobot.policies.chunks import describe_window
from lerobot.policies.denoising.policy import DenoisingPolicy
from lerobot.policies.rtc.continuation import Continuation


class DiffusionPolicy(DenoisingPolicy):
    """Diffusion Policy, with convolutions over time.

    Args:
        config: see `DiffusionConfig`.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.
        LeRobotError: the pretrained weights cannot be had.

    Source:
        Chi et al. 2023, arXiv:2303.04137.
    """

    config: DiffusionConfig

    def __init__(self, config: DiffusionConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.diffusion = DiffusionModel(config, from_scratch=from_scratch)

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Leave observations as they are; see `WindowedPolicy.describe`.

        Looking at images is little beside a prediction's many passes, which would make more of how it rounds.
        """
        return dict(observations)

    def condition(self, window: Mapping[str, Tensor]) -> Tensor:
        """See `DenoisingPolicy.condition`."""
        described = describe_window(
            window, self.config.input_features, lambda each: {"observed": self.diffusion.describe(each)}
        )
        return described["observed"].flatten(1)

    def sample(
        self, condition: Tensor, continuation: Continuation | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """See `DenoisingPolicy.sample`."""
        return self.diffusion.sample(condition, continuation, noise)

    @property
    def draws(self) -> int:
        """See `DenoisingPolicy.draws`."""
        return self.diffusion.noise.draws

    def error(self, actions: Tensor, condition: Tensor) -> Tensor:
        """See `DenoisingPolicy.error`."""
        return self.diffusion.error(actions, condition)
