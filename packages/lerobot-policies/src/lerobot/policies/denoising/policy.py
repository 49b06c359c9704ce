"""The base of policies that make a horizon of actions out of noise."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from lerobot.policies.denoising.config import DenoisingConfig
from lerobot.policies.features import ACTION, NOISE, check_windows
from lerobot.policies.rtc.continuation import Continuation, Mode
from lerobot.policies.windowed import WindowedPolicy


class DenoisingPolicy(WindowedPolicy):
    """Predicts a horizon of actions from the oldest of the last observations on, under a vector that describes them.

    A subclass says what describes them (`condition`), and how actions are made (`sample`) and learned (`error`).

    Args:
        config: see `DenoisingConfig`.
    """

    config: DenoisingConfig
    rtc_modes: ClassVar[frozenset[Mode]] = frozenset({"guided"})
    noise_law: Literal["normal"] = "normal"

    def __init__(self, config: DenoisingConfig) -> None:
        super().__init__(config, config.n_action_steps)

    @abstractmethod
    def condition(self, window: Mapping[str, Tensor]) -> Tensor:
        """Describe windows by a vector each, `(B, Do)`.

        Args:
            window: what `describe` and `instruction` give, the former `(B, n_obs_steps, ...)`.
        """

    @abstractmethod
    def sample(
        self, condition: Tensor, continuation: Continuation | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """Make actions `(B, horizon, Da)` under a condition `(B, Do)`.

        Args:
            condition: `(B, Do)`.
            continuation: what the actions continue from the newest observation on; None for nothing.
            noise: as `draw_noise` gives it; None to draw it by torch's generator.
        """

    @property
    @abstractmethod
    def draws(self) -> int:
        """How often `sample` draws noise."""

    @abstractmethod
    def error(self, actions: Tensor, condition: Tensor) -> Tensor:
        """Squared error of what the network sees in actions mixed with noise, `(B, horizon, Da)`.

        Args:
            actions: demonstrated ones, `(B, horizon, Da)`.
            condition: `(B, Do)`.
        """

    def predict(
        self,
        window: Mapping[str, Tensor],
        continuation: Continuation | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Predict the `n_action_steps` actions from the newest observation on; see `WindowedPolicy.predict`.

        Args:
            window: see there.
            continuation: what the actions continue; None for nothing.
            noise: see `sample`.
        """
        first = self.config.n_obs_steps - 1
        actions = self.sample(self.condition(window), continuation, noise)
        return actions[:, first : first + self.config.n_action_steps]

    def draw_noise(self, rows: int) -> Tensor:
        """Draw the noise of chunks, `(rows, draws, horizon, Da)`; see `lerobot.policies.export.program.DrawsNoise`."""
        shape = (rows, self.config.horizon, self.config.output_features[ACTION].shape[0])
        # Each by itself: so `sample` draws them, and the generator gives other numbers for all at once.
        return torch.stack([torch.randn(shape) for _ in range(self.draws)], dim=1)

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the chunk, every input `(B, n_obs_steps, ...)`; see `lerobot.policies.export.program.Exportable`."""
        return self.predict(self.window_with(batch), noise=batch[NOISE])

    @torch.no_grad()
    def continue_action_chunk(self, batch: Mapping[str, Any], continuation: Continuation) -> Tensor:
        """See `lerobot.policies.rtc.continuation.ContinuesChunks`."""
        return self.predict(self.window_with(batch), continuation)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of what the network sees in actions mixed with noise.

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
        error = self.error(batch[ACTION], self.condition({**self.described(batch), **self.instruction(batch)}))
        if not self.config.do_mask_loss_for_padding:
            return error.mean(), {}
        real = ~batch["action_is_pad"].unsqueeze(-1)
        return (error * real).sum() / torch.clamp(real.sum() * error.shape[-1], min=1), {}

    def _require_windows(self, batch: Mapping[str, Any]) -> None:
        config = self.config
        wanted = {key: (config.n_obs_steps, *feature.shape) for key, feature in config.input_features.items()}
        wanted[ACTION] = (config.horizon, *config.output_features[ACTION].shape)
        if config.do_mask_loss_for_padding:
            wanted["action_is_pad"] = (config.horizon,)
        check_windows(batch, wanted)
