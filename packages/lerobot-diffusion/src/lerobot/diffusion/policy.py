"""How Diffusion Policy learns and acts."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.modeling import DiffusionModel
from lerobot.policies.chunks import describe_window
from lerobot.policies.features import ACTION, check_windows
from lerobot.policies.rtc.continuation import Continuation, Mode
from lerobot.policies.windowed import WindowedPolicy


class DiffusionPolicy(WindowedPolicy):
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
    rtc_modes: ClassVar[frozenset[Mode]] = frozenset({"guided"})

    def __init__(self, config: DiffusionConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config, config.n_action_steps)
        self.diffusion = DiffusionModel(config, from_scratch=from_scratch)

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Leave observations as they are; see `WindowedPolicy.describe`.

        Looking at images is little beside a prediction's many passes, which would make more of how it rounds.
        """
        return dict(observations)

    def predict(self, window: Mapping[str, Tensor], continuation: Continuation | None = None) -> Tensor:
        """Predict the `n_action_steps` actions from the newest observation on; see `WindowedPolicy.predict`.

        Args:
            window: see there.
            continuation: what the actions continue; None for nothing.
        """
        first = self.config.n_obs_steps - 1
        actions = self.diffusion.sample(self.condition(window), continuation)
        return actions[:, first : first + self.config.n_action_steps]

    @torch.no_grad()
    def continue_action_chunk(self, batch: Mapping[str, Any], continuation: Continuation) -> Tensor:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`."""
        return self.predict(self.window_with(batch), continuation)

    def condition(self, window: Mapping[str, Any]) -> Tensor:
        """Describe windows, every input `(B, n_obs_steps, ...)`, by a vector each, `(B, Do)`."""
        described = describe_window(
            window, self.config.input_features, lambda each: {"observed": self.diffusion.describe(each)}
        )
        return described["observed"].flatten(1)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of the predicted noise, or actions.

        Args:
            batch: inputs `(B, n_obs_steps, ...)`, `action` `(B, horizon, Da)` and, with `do_mask_loss_for_padding`,
                `action_is_pad` `(B, horizon)` bool; all normalised.

        Returns:
            The scalar loss, and no parts.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._require_windows(batch)
        condition = self.condition(batch)
        if not self.config.do_mask_loss_for_padding:
            return self.diffusion.error(batch[ACTION], condition).mean(), {}
        real = ~batch["action_is_pad"].unsqueeze(-1)
        error = self.diffusion.error(batch[ACTION], condition) * real
        return error.sum() / torch.clamp(real.sum() * error.shape[-1], min=1), {}

    def _require_windows(self, batch: Mapping[str, Any]) -> None:
        config = self.config
        wanted = {key: (config.n_obs_steps, *feature.shape) for key, feature in config.input_features.items()}
        wanted[ACTION] = (config.horizon, *config.output_features[ACTION].shape)
        if config.do_mask_loss_for_padding:
            wanted["action_is_pad"] = (config.horizon,)
        check_windows(batch, wanted)
