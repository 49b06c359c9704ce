"""How ACT learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.act.config import ACTConfig
from lerobot.act.modeling import ACT
from lerobot.policies.chunks import ActionQueue, TemporalEnsembler
from lerobot.policies.features import ACTION, check_windows
from lerobot.policies.policy import PreTrainedPolicy


class ACTPolicy(PreTrainedPolicy):
    """Action Chunking with Transformers.

    Args:
        config: see `ACTConfig`.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what ACT needs.
        LeRobotError: the pretrained weights cannot be had.

    Source:
        Zhao et al. 2023, arXiv:2304.13705.
    """

    config: ACTConfig

    def __init__(self, config: ACTConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.model = ACT(config, from_scratch=from_scratch)
        coefficient = config.temporal_ensemble_coeff
        self._acting = (
            ActionQueue(config.n_action_steps)
            if coefficient is None
            else TemporalEnsembler(coefficient, config.chunk_size)
        )

    def reset(self) -> None:
        """Forget the chunks predicted so far."""
        self._acting.reset()

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`."""
        return self._acting.next(lambda: self.predict_action_chunk(batch))

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised, with dropout and the variational encoder off.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self.eval()
        return self.exported_chunk(batch)

    def exported_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised; see `lerobot.policies.export.program.Exportable`."""
        chunk: Tensor = self.model(batch)[0]
        return chunk

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean absolute error over the real steps, and the latent's divergence while training.

        Args:
            batch: inputs, `action` `(B, T, Da)` and `action_is_pad` `(B, T)` bool, all normalised.

        Returns:
            The scalar loss; `l1_loss` and, while training with the variational encoder, `kld_loss`, on the
            policy's device, so that nobody waits for it.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        steps = self.config.chunk_size
        check_windows(batch, {ACTION: (steps, *self.config.output_features[ACTION].shape), "action_is_pad": (steps,)})
        real = ~batch["action_is_pad"].unsqueeze(-1)
        # Padding may hold anything, even what is not a number, which no factor of zero would take away.
        action = torch.where(real, batch[ACTION], 0.0)
        predicted, latent = self.model({**batch, ACTION: action})
        error = (action - predicted).abs() * real
        l1_loss = error.sum() / torch.clamp(real.sum() * error.shape[-1], min=1)
        if latent is None:
            return l1_loss, {"l1_loss": l1_loss.detach()}
        divergence = latent.divergence()
        loss = l1_loss + self.config.kl_weight * divergence
        return loss, {"l1_loss": l1_loss.detach(), "kld_loss": divergence.detach()}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All parameters; those of the backbone with a learning rate of their own."""
        named = [(name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad]
        backbone = [parameter for name, parameter in named if name.startswith("model.backbone.")]
        groups: list[dict[str, Any]] = [
            {"params": [parameter for name, parameter in named if not name.startswith("model.backbone.")]}
        ]
        return [*groups, {"params": backbone, "lr": self.config.optimizer_lr_backbone}] if backbone else groups
