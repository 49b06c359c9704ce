"""How VQ-BeT learns and acts."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.features import ACTION, NOISE, check_windows
from lerobot.policies.windowed import WindowedPolicy
from lerobot.vqbet.codes import ActionCodes
from lerobot.vqbet.config import VQBeTConfig
from lerobot.vqbet.modeling import VQBeT

logger = logging.getLogger(__name__)

_FOCUS = 2.0


class VQBeTPolicy(WindowedPolicy):
    """Vector-Quantized Behavior Transformer.

    It learns in two phases: for `n_vqvae_training_steps` actions as codes, then codes and offsets from observations.

    Args:
        config: see `VQBeTConfig`.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.
        LeRobotError: the pretrained weights cannot be had.

    Source:
        Lee et al. 2024, arXiv:2403.03181.
    """

    config: VQBeTConfig
    noise_law: Literal["exponential"] = "exponential"

    def __init__(self, config: VQBeTConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config, config.action_chunk_size)
        self.vqbet = VQBeT(config, from_scratch=from_scratch)
        self._warned = False

    @property
    def _codes(self) -> ActionCodes:
        return self.vqbet.action_head.vqvae_model

    def resume(self, step: int) -> None:
        """Go on with a run of which `step` batches are done: no file says for how long codes have been learned."""
        self._codes.steps = step

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Make tokens of observations; see `WindowedPolicy.describe`."""
        return self.vqbet.describe(observations)

    def predict(self, window: Mapping[str, Tensor]) -> Tensor:
        """Draw the chunk `(B, W, Da)` that begins at the newest observation; see `WindowedPolicy.predict`."""
        if not self._codes.learned and not self._warned:
            logger.warning("vqbet acts before it has learned its codes: its actions mean nothing yet")
            self._warned = True
        return self._drawn(window, None)

    def _drawn(self, window: Mapping[str, Tensor], noise: Tensor | None) -> Tensor:
        chunks = self.vqbet.predict(window, noise).chunks
        return chunks.view(-1, self.config.n_chunks, *chunks.shape[1:])[:, self.config.n_obs_steps - 1]

    def draw_noise(self, rows: int) -> Tensor:
        """Draw what codes are drawn by, `(rows, n_chunks, layers, C)`; see `lerobot.policies.export.program`."""
        drawn = self.vqbet.action_head.draw_noise(rows * self.config.n_chunks)
        return drawn.view(rows, self.config.n_chunks, *drawn.shape[1:])

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Draw the chunk, every input `(B, n_obs_steps, ...)`; see `lerobot.policies.export.program.Exportable`."""
        return self._drawn(self.window_with(batch), batch[NOISE].flatten(0, 1))

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss of the phase.

        Args:
            batch: inputs `(B, n_obs_steps, ...)` and `action` `(B, n_chunks + W - 1, Da)`, all normalised.

        Returns:
            The scalar loss, and its parts: while codes are learned `n_different_codes`, `n_different_combinations` and
            `recon_l1_error`; then `classification_loss`, `offset_loss` and errors of codes and actions.

        Raises:
            FeatureMismatchError: something is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._require_windows(batch)
        chunks = self.vqbet.chunks(batch[ACTION]).flatten(0, 1)
        return self._learn_behaviour(batch, chunks) if self._codes.learned else self._learn_codes(chunks)

    def _learn_codes(self, chunks: Tensor) -> tuple[Tensor, dict[str, Any]]:
        loss, error, codes = self._codes.learn(chunks)
        return loss, {
            "n_different_codes": sum(len(torch.unique(layer)) for layer in codes.unbind(dim=-1)),
            "n_different_combinations": len(torch.unique(codes, dim=0)),
            "recon_l1_error": error,
        }

    def _learn_behaviour(self, batch: Mapping[str, Any], chunks: Tensor) -> tuple[Tensor, dict[str, Any]]:
        # Not at the end of the last step of learning codes, whose gradients are yet to come.
        self._codes.requires_grad_(False)
        config, found = self.config, self.vqbet.predict(self.described(batch))
        codes = self._codes.encode(chunks)
        primary, secondary = (_focal(found.logits[:, layer], codes[:, layer]) for layer in range(codes.shape[1]))
        classification = config.primary_code_loss_weight * primary + config.secondary_code_loss_weight * secondary
        error = found.chunks - chunks
        offset = error.abs().mean()
        equal = (found.codes == codes).float().mean(dim=0)
        return classification + config.offset_loss_weight * offset, {
            "classification_loss": classification.detach(),
            "offset_loss": offset.detach(),
            "equal_primary_code_rate": equal[0],
            "equal_secondary_code_rate": equal[1],
            "vq_action_error": (found.centres - chunks).abs().mean(),
            "offset_action_error": offset.detach(),
            "action_error_max": error.detach().abs().max(),
            "action_mse_error": error.detach().square().mean(),
        }

    def _require_windows(self, batch: Mapping[str, Any]) -> None:
        config = self.config
        wanted = {key: (config.n_obs_steps, *feature.shape) for key, feature in config.input_features.items()}
        wanted[ACTION] = (len(config.action_delta_indices), *config.output_features[ACTION].shape)
        check_windows(batch, wanted)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All parameters but those of codes and of the transformer's biases, norms and positions; the codes'; the rest.

        The order is the published one, by which saved optimizer states know them.
        """
        network, head = self.vqbet, self.vqbet.action_head
        decayed, others = network.policy.decayed()
        parts = [network.rgb_encoder, network.state_projector, network.rgb_feature_projector]
        bins = [module for name, module in head.named_children() if name.endswith("bin")]
        decayed += [parameter for module in parts for parameter in module.parameters()]
        decayed += [network.action_token]
        decayed += [parameter for module in (head.map_to_cbet_preds_offset, *bins) for parameter in module.parameters()]
        return [
            {"params": decayed},
            {
                "params": [*self._codes.encoder.parameters(), *self._codes.decoder.parameters()],
                "weight_decay": self.config.optimizer_vqvae_weight_decay,
                "lr": self.config.optimizer_vqvae_lr,
            },
            {"params": others, "weight_decay": 0.0},
        ]


def _focal(logits: Tensor, codes: Tensor) -> Tensor:
    """Cross entropy, less where the network is sure already.

    Args:
        logits: `(N, C)`.
        codes: `(N,)` int64.

    Source:
        Lin et al. 2017, arXiv:1708.02002.
    """
    log_likely = -F.cross_entropy(logits, codes, reduction="none")
    return -((1 - log_likely.exp()) ** _FOCUS * log_likely).mean()
