"""How Multi-Task DiT learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.multi_task_dit.observation import ObservationEncoder
from lerobot.multi_task_dit.transformer import DiffusionTransformer
from lerobot.policies.denoising.noise import NoiseSchedule
from lerobot.policies.denoising.policy import DenoisingPolicy
from lerobot.policies.features import ACTION
from lerobot.policies.networks.flow_matching import Flow, beta_times
from lerobot.policies.processing.tokenizer import ATTENTION_MASK, TOKENS, require_tokens
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.rtc.guidance import Guidance


class MultiTaskDiTPolicy(DenoisingPolicy):
    """A transformer that makes actions of noise under what CLIP sees and reads, by diffusion or flow matching.

    Args:
        config: see `MultiTaskDiTConfig`.
        from_scratch: fetch the published weights of the encoders; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: the features are not what it needs.
        CheckpointError: an encoder, or its weights, are not there.

    Source:
        Peebles and Xie 2022, arXiv:2212.09748; Chi et al. 2023, arXiv:2303.04137.
    """

    config: MultiTaskDiTConfig

    def __init__(self, config: MultiTaskDiTConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        config.validate_features()
        self._action_size = config.output_features[ACTION].shape[0]
        self.observation_encoder = ObservationEncoder(config, from_scratch=from_scratch)
        observed = self.observation_encoder.width * config.n_obs_steps
        self.noise_predictor = DiffusionTransformer(config, self._action_size, observed)
        self.noise = NoiseSchedule(config)

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """See `PreTrainedPolicy.require_inputs`; the task's tokens are needed too."""
        super().require_inputs(batch)
        require_tokens(self.name, batch)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What learns, the encoders for images slower than the rest.

        The order is the published one, by which saved optimizer states know them.
        """
        vision = list(self.observation_encoder.vision_parameters())
        if not any(each.requires_grad for each in vision):
            vision = []
        slow = {id(parameter) for parameter in vision}
        others = [each for each in self.parameters() if each.requires_grad and id(each) not in slow]
        rate = self.config.optimizer_lr * self.config.vision_encoder_lr_multiplier
        return [{"params": others}, {"params": vision, "lr": rate}]

    def adapter_targets(self) -> str:
        """The transformer that makes actions, and the layer behind the task."""
        block = r"attn\.(qkv_proj|out_proj)|mlp\.[02]|adaLN_modulation\.1"
        network = rf"noise_predictor\.(transformer_blocks\.\d+\.({block})|input_proj|output_proj)"
        return rf"({network}|observation_encoder\.text_encoder\.projection)"

    # --- what is observed --------------------------------------------------------------------------------------------

    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `WindowedPolicy.describe`."""
        return {"seen": self.observation_encoder.look(observations)}

    def instruction(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """See `WindowedPolicy.instruction`: the task, which holds for the whole window."""
        return {"task": self.observation_encoder.text_encoder(batch[TOKENS], batch[ATTENTION_MASK])}

    def condition(self, window: Mapping[str, Tensor]) -> Tensor:
        """See `DenoisingPolicy.condition`."""
        seen = window["seen"]
        task = window["task"].unsqueeze(1).expand(-1, seen.shape[1], -1)
        return torch.cat([seen, task], dim=-1).flatten(1)

    # --- actions and noise -------------------------------------------------------------------------------------------

    def sample(
        self, condition: Tensor, continuation: Continuation | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """See `DenoisingPolicy.sample`."""
        config = self.config
        size = (condition.shape[0], config.horizon, self._action_size)
        first, added = (
            (torch.randn(size, dtype=condition.dtype, device=condition.device), None)
            if noise is None
            else (noise[:, 0], noise[:, 1:])
        )
        guidance = None if continuation is None else Guidance(continuation, first, first=config.n_obs_steps - 1)
        network = self.noise_predictor.under(condition)
        if config.objective == "diffusion":
            return self.noise.remove(first, network, guidance, added)
        return Flow.FROM_ZERO.integrate(
            network, first, config.num_integration_steps, guidance, config.integration_method
        )

    @property
    def draws(self) -> int:
        """See `DenoisingPolicy.draws`."""
        return self.noise.draws if self.config.objective == "diffusion" else 1

    def error(self, actions: Tensor, condition: Tensor) -> Tensor:
        """See `DenoisingPolicy.error`."""
        config = self.config
        noise = torch.randn_like(actions)
        if config.objective == "diffusion":
            levels = torch.randint(0, config.num_train_timesteps, actions.shape[:1], device=actions.device)
            seen: Tensor = self.noise_predictor(self.noise.add(actions, noise, levels), levels, condition)
            return (seen - (noise if config.prediction_type == "epsilon" else actions)).square()
        time = self._times(actions)
        # Where a flow ends in actions with a little noise left, it is the straight one to those.
        goal = actions + config.sigma_min * noise
        seen = self.noise_predictor(Flow.FROM_ZERO.point(noise, goal, time), time, condition)
        return (seen - Flow.FROM_ZERO.velocity(noise, goal)).square()

    def _times(self, actions: Tensor) -> Tensor:
        config = self.config
        if config.timestep_sampling_strategy == "uniform":
            return torch.rand(len(actions), device=actions.device)
        latest = config.timestep_sampling_s
        return beta_times(
            len(actions),
            actions.device,
            alpha=config.timestep_sampling_alpha,
            beta=config.timestep_sampling_beta,
            scale=-latest,
            offset=latest,
        )
