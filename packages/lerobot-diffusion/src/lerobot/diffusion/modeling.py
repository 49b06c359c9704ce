"""The network of Diffusion Policy: observations to a condition, and noise to actions under it.

Source: Chi et al. 2023, arXiv:2303.04137; parameter names are those of huggingface/lerobot.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lerobot.core.errors import FeatureMismatchError
from lerobot.diffusion.config import DiffusionConfig
from lerobot.diffusion.unet import UNet
from lerobot.policies.denoising.noise import NoiseSchedule
from lerobot.policies.features import OBSERVATION_STATE, PolicyFeature
from lerobot.policies.networks.keypoints import KeypointEncoder, KeypointSettings
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.rtc.guidance import Guidance


class DiffusionModel(nn.Module):
    """Observations to a horizon of actions.

    Args:
        config: settings and features.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        FeatureMismatchError: state or action are missing, there is neither picture nor environment state, or the
            pictures are not all of one size that the crop fits in.
        LeRobotError: the pretrained weights cannot be had.
    """

    def __init__(self, config: DiffusionConfig, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.config = config
        state, action = _state_and_action(config)
        observed, environment = state.shape[0], config.env_state_feature
        if pictures := config.image_features:
            settings = _keypoint_settings(config)
            observed += 2 * config.spatial_softmax_num_keypoints * len(pictures)
            self.rgb_encoder: nn.Module = (
                nn.ModuleList(KeypointEncoder(settings, from_scratch=from_scratch) for _ in pictures)
                if config.use_separate_rgb_encoder_per_camera
                else KeypointEncoder(settings, from_scratch=from_scratch)
            )
        if environment:
            observed += environment[1].shape[0]
        unet: nn.Module = UNet(config, action.shape[0], observed * config.n_obs_steps)
        # Weights of a compiled network have other names, in published checkpoints too.
        self.unet = torch.compile(unet, mode=config.compile_mode) if config.compile_model else unet
        self.noise = NoiseSchedule(config)
        self._action_size = action.shape[0]

    def describe(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Describe observations.

        Args:
            observations: the inputs, `(N, ...)`.

        Returns:
            `(N, D)`: state, points in the pictures, and environment state.
        """
        parts = [observations[OBSERVATION_STATE]]
        if cameras := list(self.config.image_features):
            parts += self._points([observations[camera] for camera in cameras])
        if environment := self.config.env_state_feature:
            parts.append(observations[environment[0]])
        return torch.cat(parts, dim=-1)

    def _points(self, pictures: list[Tensor]) -> list[Tensor]:
        """Points in the pictures `(N, 3, H, W)` of each camera, `(N, 2 K)` each."""
        if isinstance(self.rgb_encoder, nn.ModuleList):
            return [encoder(each) for encoder, each in zip(self.rgb_encoder, pictures, strict=True)]
        # All at once: while training, all share one window, and the statistics of the batch.
        together = torch.stack(pictures, dim=1)
        return list(self.rgb_encoder(together.flatten(0, 1)).unflatten(0, together.shape[:2]).unbind(dim=1))

    def sample(
        self, condition: Tensor, continuation: Continuation | None = None, noise: Tensor | None = None
    ) -> Tensor:
        """Make actions `(B, horizon, Da)` under a condition `(B, Do)`.

        Args:
            condition: `(B, Do)`.
            continuation: what the actions continue from the newest observation on; None for nothing.
            noise: that it begins with and that is added on the way, `(B, draws, horizon, Da)`; None to draw it by
                torch's generator.
        """
        size = condition.shape[0], self.config.horizon, self._action_size
        first, added = (
            (torch.randn(size, dtype=condition.dtype, device=condition.device), None)
            if noise is None
            else (noise[:, 0], noise[:, 1:])
        )
        guidance = None if continuation is None else Guidance(continuation, first, first=self.config.n_obs_steps - 1)
        return self.noise.remove(first, lambda noisy, levels: self.unet(noisy, levels, condition), guidance, added)

    def error(self, actions: Tensor, condition: Tensor) -> Tensor:
        """Squared error of what the network sees in actions with noise added, `(B, T, Da)`.

        Args:
            actions: demonstrated ones, `(B, T, Da)`.
            condition: `(B, Do)`.
        """
        noise = torch.randn(actions.shape, device=actions.device)
        levels = torch.randint(0, self.config.num_train_timesteps, actions.shape[:1], device=actions.device)
        seen: Tensor = self.unet(self.noise.add(actions, noise, levels), levels, condition)
        return (seen - (noise if self.config.prediction_type == "epsilon" else actions)).square()


def _state_and_action(config: DiffusionConfig) -> tuple[PolicyFeature, PolicyFeature]:
    state, action = config.robot_state_feature, config.action_feature
    if state is None or action is None or not (config.image_features or config.env_state_feature):
        raise FeatureMismatchError(
            f"diffusion has the inputs {list(config.input_features)} and the outputs {list(config.output_features)}",
            keys=list(config.input_features),
            expected="'action' as output; 'observation.state', and at least one picture or an environment state, "
            "as inputs",
        )
    return state, action


def _keypoint_settings(config: DiffusionConfig) -> KeypointSettings:
    """How pictures are looked at, checked to be possible for every camera."""
    sizes = {key: feature.shape for key, feature in config.image_features.items()}
    first = next(iter(sizes.values()))
    if wrong := [key for key, size in sizes.items() if size != first or size[0] != 3]:
        raise FeatureMismatchError(
            f"diffusion has the pictures {', '.join(f'{key} {size}' for key, size in sizes.items())}",
            keys=wrong,
            expected="pictures (3, H, W), all of one size",
        )
    size = (first[1], first[2])
    if config.resize_shape is None and config.crop and any(c > s for c, s in zip(config.crop, size, strict=True)):
        raise FeatureMismatchError(
            f"crop_shape is {config.crop}, and the pictures are {size}",
            keys=list(sizes),
            expected="a crop that fits into the pictures",
        )
    return KeypointSettings(
        size=size,
        backbone=config.vision_backbone,
        weights=config.pretrained_backbone_weights,
        grouped=config.use_group_norm,
        keypoints=config.spatial_softmax_num_keypoints,
        resize=config.resize_shape,
        crop=config.crop,
        random_crop=config.crop_is_random,
    )
