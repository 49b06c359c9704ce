"""How Diffusion Policy learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.modeling import DiffusionModel
from lerobot.policies.acting import ActionQueue, ObservationHistory
from lerobot.policies.features import ACTION, check_windows
from lerobot.policies.policy import PreTrainedPolicy


class DiffusionPolicy(PreTrainedPolicy):
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
        self._history = ObservationHistory(config.input_features, config.n_obs_steps)
        self._actions = ActionQueue(config.n_action_steps)

    def reset(self) -> None:
        """Forget what was observed, and the actions that wait."""
        self._history.reset()
        self._actions.reset()

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._history.add(batch)
        return self._actions.next(lambda: self._predict(self._history.window()))

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the `n_action_steps` actions `(B, T, Da)` from the newest observation on, normalised.

        Args:
            batch: the newest observation `(B, ...)`, to which `select_action` has seen those before; or all of them,
                `(B, n_obs_steps, ...)`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        return self._predict(self._history.window_with(batch))

    def _predict(self, window: Mapping[str, Tensor]) -> Tensor:
        self.eval()
        first = self.config.n_obs_steps - 1
        return self.diffusion.sample(self.diffusion.condition(window))[:, first : first + self.config.n_action_steps]

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
        condition = self.diffusion.condition(batch)
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
