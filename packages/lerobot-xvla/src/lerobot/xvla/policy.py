"""How X-VLA learns and acts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.checkpoint.weights import Weights
from lerobot.policies.features import ACTION, OBSERVATION_STATE, check_windows
from lerobot.policies.networks.flow_matching import Flow
from lerobot.policies.networks.padding import pad_last, resize_with_pad
from lerobot.policies.processing.tokenizer import TOKENS
from lerobot.policies.vla.policy import VLAPolicy
from lerobot.xvla.config import XVLAConfig
from lerobot.xvla.earlier_names import with_present_names
from lerobot.xvla.modeling import XVLA, Observed
from lerobot.xvla.steps import DOMAIN


class XVLAPolicy(VLAPolicy):
    """A vision-language encoder, and a transformer that finds the actions of a chunk again and again in less noise.

    Args:
        config: see `XVLAConfig`.
        from_scratch: as every policy takes it; nothing is fetched.

    Raises:
        FeatureMismatchError: the features are not what X-VLA needs.
        LeRobotError: the configuration describes no backbone, or no space of actions.

    Source:
        Zheng et al. 2025, arXiv:2510.10274.
    """

    config: XVLAConfig

    def __init__(self, config: XVLAConfig, *, from_scratch: bool = True) -> None:
        del from_scratch
        super().__init__(config)
        self.model = XVLA(config)

    def published(self, weights: Weights) -> Weights:
        """See `lerobot.xvla.earlier_names.with_present_names`."""
        return with_present_names(weights)

    def adapter_targets(self) -> str:
        """Attention and feed-forward blocks of the network that finds actions."""
        return r"model\.transformer\.blocks\.\d+\.(attn\.(qkv|proj)|mlp\.fc[12])"

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _observed(self, batch: Mapping[str, Any]) -> Observed:
        images = self._images(batch)
        missing = max(0, (self.config.num_image_views or 0) - images.shape[1])
        state = images.new_zeros(len(images), 0)
        if self.config.use_proprio:
            state = batch[OBSERVATION_STATE]
            state = state[:, -1] if state.ndim > 2 else state
            state = pad_last(state, self.config.state_width)[:, : self.config.state_width]
        return self.model.observe(images, missing, batch[TOKENS], state, self._domain(batch, len(images)))

    def _images(self, batch: Mapping[str, Any]) -> Tensor:
        """Give the images that are there, `(B, V, 3, H, W)`."""
        images = {}
        for key in (key for key in self.config.image_features if key in batch):
            image = batch[key][:, -1] if batch[key].ndim == 5 else batch[key]
            size = self.config.resize_imgs_with_padding
            images[key] = image if size is None else resize_with_pad(image, *size, centred=False)
        sizes = {key: tuple(image.shape[-2:]) for key, image in images.items()}
        if len(set(sizes.values())) > 1:
            raise FeatureMismatchError(
                f"images have the sizes {', '.join(f'{key} {size}' for key, size in sizes.items())}",
                keys=list(sizes),
                expected="one size, or --policy.resize_imgs_with_padding='[224, 224]'",
            )
        return torch.stack(list(images.values()), dim=1)

    def _domain(self, batch: Mapping[str, Any], rows: int) -> Tensor:
        """Give the domain `(B,)` int64 of each row; 0 where nobody says it."""
        key = self.config.domain_feature_key or DOMAIN
        key = key if key in batch else DOMAIN
        device = batch[TOKENS].device
        found = torch.as_tensor(batch.get(key, 0), device=device)
        domain = found.reshape(len(found), -1)[:, 0] if found.ndim else found
        domain = domain.long().expand(rows)
        low, high = int(domain.min()), int(domain.max())
        if low < 0 or high >= self.config.num_domains:
            raise FeatureMismatchError(
                f"the domain is {low if low < 0 else high}",
                keys=[key],
                expected=f"0 to {self.config.num_domains - 1}, the domains that policy 'xvla' knows",
            )
        return domain

    # --- acting ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any], *, noise: Tensor | None = None) -> Tensor:
        """Predict the chunk `(B, T, Da)`, normalised.

        Args:
            batch: see `Policy.predict_action_chunk`.
            noise: `(B, T, width of the action space)` to begin with; None to draw some.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self.eval()
        observed, steps = self._observed(batch), self.config.num_denoising_steps
        if noise is None:
            shape = len(observed.domain), self.config.chunk_size, self.model.space.width
            noise = torch.randn(shape, device=observed.domain.device, dtype=self.model.dtype)
        noise = noise.to(self.model.dtype)
        actions = torch.zeros_like(noise)
        for step in range(steps, 0, -1):
            time = torch.full((len(noise),), step / steps, device=noise.device, dtype=noise.dtype)
            actions = self.model(observed, Flow.FROM_ONE.point(noise, actions, time), time)
        return self.model.space.finished(actions)[:, :, : self.config.output_features[ACTION].shape[0]]

    # --- learning ----------------------------------------------------------------------------------------------------

    def forward(
        self, batch: Mapping[str, Any], *, noise: Tensor | None = None, time: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Compute the loss, that of the action space.

        Steps behind the end of an episode count too: there its last action is repeated, which holds the robot still.

        Args:
            batch: inputs, and `action` `(B, T, Da)` normalised.
            noise: `(B, T, width of the action space)`; None to draw some.
            time: `(B,)`; None to draw one, and to take the others at equal distances from it.

        Returns:
            The scalar loss, and its parts.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        check_windows(batch, {ACTION: (self.config.chunk_size, *self.config.output_features[ACTION].shape)})
        action = pad_last(batch[ACTION], self.model.space.width).to(self.model.dtype)
        observed = self._observed(batch)
        time = _times(action) if time is None else time.to(action)
        noise = torch.randn_like(action) if noise is None else noise.to(action)
        found = self.model(observed, Flow.FROM_ONE.point(noise, action, time), time)
        parts = self.model.space.losses(found, action)
        return torch.stack(list(parts.values())).sum(), {name: part.detach() for name, part in parts.items()}


def _times(action: Tensor) -> Tensor:
    """Draw times `(B,)` below 1, at equal distances from each other."""
    rows = torch.arange(len(action), device=action.device, dtype=action.dtype)
    first = torch.rand(1, device=action.device, dtype=action.dtype)
    return (first + rows / len(action)) % (1 - 1e-5)
