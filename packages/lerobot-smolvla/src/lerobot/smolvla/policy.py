"""How SmolVLA learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.checkpoint.files import WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.weights import Weights, load_weights
from lerobot.policies.features import ACTION, OBSERVATION_STATE, check_windows
from lerobot.policies.networks.flow_matching import Flow, beta_times
from lerobot.policies.networks.padding import pad_last, resize_with_pad
from lerobot.policies.networks.streams import Tokens
from lerobot.policies.processing.tokenizer import ATTENTION_MASK, TOKENS
from lerobot.policies.vla.flow import FlowVLAPolicy
from lerobot.policies.vla.images import camera_images
from lerobot.smolvla import aloha
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.modeling import Observed, SmolVLA


class SmolVLAPolicy(FlowVLAPolicy[Observed]):
    """A small vision-language model, and an action expert that follows a flow from noise to actions.

    Args:
        config: see `SmolVLAConfig`.
        from_scratch: fetch the published weights of the vision-language model if the configuration asks for them;
            false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what SmolVLA needs.
        CheckpointError: the vision-language model, or its weights, are not there.

    Source:
        Shukor et al. 2025, arXiv:2506.01844.
    """

    config: SmolVLAConfig

    def __init__(self, config: SmolVLAConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config, config.num_steps)
        self.model = SmolVLA(config)
        if from_scratch and config.load_vlm_weights:
            self._load_published()

    def _load_published(self) -> None:
        """Take over the published weights of the vision-language model, but for the layers that are cut off."""
        vlm = self.model.vlm_with_expert.vlm
        layers = len(vlm.model.text_model.layers)

        def kept(weights: Weights) -> Weights:
            head = {"lm_head.weight": weights.get("lm_head.weight", weights["model.text_model.embed_tokens.weight"])}
            return {**{name: tensor for name, tensor in weights.items() if _layer_of(name) < layers}, **head}

        load_weights(vlm, Checkpoint.at(self.config.vlm_model_name).file(WEIGHTS), kept)

    def published(self, weights: Weights) -> Weights:
        """Give weights their names here: those of policies that were saved compiled have a part more."""
        return {name.replace("._orig_mod.", "."): tensor for name, tensor in weights.items()}

    def adapter_targets(self) -> str:
        """Queries and values of the expert, and the projections around it."""
        around = "state_proj|action_in_proj|action_out_proj|action_time_mlp_in|action_time_mlp_out"
        return rf"(model\.vlm_with_expert\.lm_expert\..*\.(q|v)_proj|model\.({around}))"

    # --- acting ------------------------------------------------------------------------------------------------------

    def observe(self, batch: Mapping[str, Any]) -> Observed:
        """See `FlowVLAPolicy.observe`."""
        return self.model.keep(self._prefix(batch))

    def velocity(self, context: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """See `FlowVLAPolicy.velocity`."""
        return self.model.velocity(context, actions, time)

    def finished(self, actions: Tensor) -> Tensor:
        """See `FlowVLAPolicy.finished`."""
        return aloha.encoded_actions(actions) if self.config.adapt_to_pi_aloha else actions

    def _prefix(self, batch: Mapping[str, Any]) -> Tokens:
        cameras = camera_images(self.config, batch, self._resized, self.config.empty_cameras)
        state = batch[OBSERVATION_STATE]
        state = state[:, -1] if state.ndim > 2 else state
        if self.config.adapt_to_pi_aloha:
            state = aloha.decoded_state(state)
        return self.model.prefix(
            cameras, batch[TOKENS], batch[ATTENTION_MASK], pad_last(state, self.config.max_state_dim)
        )

    def _resized(self, images: Tensor) -> Tensor:
        if self.config.resize_imgs_with_padding is None:
            return images
        width, height = self.config.resize_imgs_with_padding
        return resize_with_pad(images, height, width, centred=False)

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(
        self, batch: Mapping[str, Any], *, noise: Tensor | None = None, time: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of the velocity, over the real steps and the robot's own joints.

        Args:
            batch: inputs, `action` `(B, T, Da)` normalised, and `action_is_pad` `(B, T)` bool if there are such steps.
            noise: `(B, T, max_action_dim)` float32; None to draw some.
            time: `(B,)` float32; None to draw some.

        Returns:
            The scalar loss, and the error before steps of padding are left out.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        steps, width = self.config.chunk_size, self.config.output_features[ACTION].shape[0]
        check_windows(batch, {ACTION: (steps, width)})
        padding = batch.get("action_is_pad")
        real = torch.ones_like(batch[ACTION][..., :1], dtype=torch.bool) if padding is None else ~padding[..., None]
        # Padding may hold anything, even what is not a number, which no factor of zero would take away.
        action = torch.where(real, batch[ACTION], 0.0)
        if self.config.adapt_to_pi_aloha:
            action = aloha.decoded_actions(action)
        action = pad_last(action, self.config.max_action_dim)
        noise = torch.randn_like(action, dtype=torch.float32) if noise is None else noise
        time = beta_times(len(action), action.device) if time is None else time
        found = self.model(self._prefix(batch), Flow.FROM_ONE.point(noise, action, time), time)
        error = (Flow.FROM_ONE.velocity(noise, action) - found).pow(2)[..., :width]
        loss = (error * real).sum() / (real.sum() * width).clamp(min=1)
        return loss, {"losses_after_forward": error.mean().detach()}


def _layer_of(name: str) -> int:
    """Which layer of the language model a weight is of; -1 for others."""
    prefix = "model.text_model.layers."
    return int(name.removeprefix(prefix).partition(".")[0]) if name.startswith(prefix) else -1
