"""How Pi0 learns and acts, and what it shares with Pi0.5."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from lerobot.pi0.config import PiFlowConfig
from lerobot.pi0.modeling import PI0, Observed, PiFlow, Seen
from lerobot.pi0.paligemma import with_table
from lerobot.policies.checkpoint.weights import Weights
from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.policies.networks.flow_matching import Flow, beta_times
from lerobot.policies.networks.padding import pad_last, resize_with_pad
from lerobot.policies.processing.tokenizer import ATTENTION_MASK, TOKENS
from lerobot.policies.rtc.prefix import draw_delays, given
from lerobot.policies.vla.flow import FlowVLAPolicy
from lerobot.policies.vla.images import camera_images


class PiFlowPolicy(FlowVLAPolicy[Observed]):
    """PaliGemma, and an action expert that follows a flow from noise to actions.

    A subclass names its network.

    Args:
        config: see `PiFlowConfig`.
        from_scratch: as every policy takes it; nothing is fetched.

    Raises:
        FeatureMismatchError: the features are not what the pi models need.
    """

    config: PiFlowConfig
    network: ClassVar[type[PiFlow]]
    renamed: ClassVar[Mapping[str, str]] = {}
    """Beginnings of names in files, and what they are here."""

    def __init__(self, config: PiFlowConfig, *, from_scratch: bool = True) -> None:
        del from_scratch
        super().__init__(config, config.num_inference_steps)
        self.model = self.network(config)

    def published(self, weights: Weights) -> Weights:
        """Give weights their names here: those of openpi have no "model." before them.

        See also `lerobot.pi0.paligemma.with_table`.
        """
        named = {}
        for name, tensor in weights.items():
            own = name.removeprefix("model.")
            old = next((old for old in self.renamed if own.startswith(old)), "")
            named[f"model.{self.renamed.get(old, '')}{own.removeprefix(old)}"] = tensor
        return with_table(named)

    def adapter_targets(self) -> str:
        """Queries and values of the expert, and the projections around it."""
        around = "state_proj|action_in_proj|action_out_proj|action_time_mlp_in|action_time_mlp_out"
        return rf"(.*\.gemma_expert\..*\.self_attn\.(q|v)_proj|model\.({around}))"

    # --- acting ------------------------------------------------------------------------------------------------------

    def observe(self, batch: Mapping[str, Any]) -> Observed:
        """See `FlowVLAPolicy.observe`."""
        return self.model.keep(self._seen(batch))

    def velocity(self, context: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """See `FlowVLAPolicy.velocity`."""
        return self.model.velocity(context, actions, time)

    def _seen(self, batch: Mapping[str, Any]) -> Seen:
        cameras = camera_images(self.config, batch, self._resized)
        state = pad_last(batch[OBSERVATION_STATE], self.config.max_state_dim)
        return Seen(
            self.model.paligemma_with_expert.paligemma.model.prefix(cameras, batch[TOKENS], batch[ATTENTION_MASK]),
            state,
        )

    def _resized(self, images: Tensor) -> Tensor:
        return resize_with_pad(images, *self.config.image_resolution, centred=True)

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(
        self, batch: Mapping[str, Any], *, noise: Tensor | None = None, time: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss: mean squared error of the velocity, over the robot's own joints.

        With a `longest_delay`, the first actions of each row are given, some number of them, and do not count.
        Steps behind the end of an episode count too: there its last action is repeated, which holds the robot still.

        Args:
            batch: inputs, and `action` `(B, T, Da)` normalised.
            noise: `(B, T, max_action_dim)` float32; None to draw some.
            time: `(B,)` float32; None to draw some.

        Returns:
            The scalar loss, and the error of each joint.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        action = self.padded_actions(batch)
        noise = torch.randn_like(action, dtype=torch.float32) if noise is None else noise
        time = self._times(action) if time is None else time
        known = None
        if self.longest_delay:
            known = given(draw_delays(len(action), self.longest_delay, action.device), action.shape[1])
            time = torch.where(known, 0.0, time[:, None])
        found = self.model(self._seen(batch), Flow.FROM_ONE.point(noise, action, time), time)
        error = (Flow.FROM_ONE.velocity(noise, action) - found).pow(2)
        error = error[..., : self.config.output_features[ACTION].shape[0]]
        loss = error.mean() if known is None else error[~known].mean()
        return loss, {"loss_per_dim": error.detach().mean(dim=(0, 1)).tolist()}

    def _times(self, action: Tensor) -> Tensor:
        config = self.config
        return beta_times(
            len(action),
            action.device,
            alpha=config.time_sampling_beta_alpha,
            beta=config.time_sampling_beta_beta,
            scale=config.time_sampling_scale,
            offset=config.time_sampling_offset,
        )


class PI0Policy(PiFlowPolicy):
    """Pi0: the expert reads the state.

    Source:
        Black et al. 2024, arXiv:2410.24164.
    """

    network = PI0
    renamed: ClassVar[Mapping[str, str]] = {
        "time_mlp_in.": "action_time_mlp_in.",
        "time_mlp_out.": "action_time_mlp_out.",
    }
