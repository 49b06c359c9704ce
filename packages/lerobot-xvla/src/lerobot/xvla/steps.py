"""Steps before and behind X-VLA.

Source: names, settings and values are those of huggingface/lerobot 0.6.
"""

from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import (
    EnvTransition,
    ObservationProcessorStep,
    PolicyActionProcessorStep,
    ProcessorStep,
    TransitionKey,
)
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec
from lerobot.policies.processing.rotation import axis_angle

IMAGES, DOMAIN = "observation.images", "domain_id"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, red, green and blue."""


class _ImageStep(ObservationProcessorStep):
    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Change the images that are there."""
        keys = self.config.image_keys
        chosen = [key for key in observation if (key.startswith(IMAGES) if keys is None else key in keys)]
        images = {key: observation[key] for key in chosen if isinstance(observation[key], Tensor)}
        return observation | {key: self._changed(key, image) for key, image in images.items()}

    def _changed(self, key: str, image: Tensor) -> Tensor:
        raise NotImplementedError


class ImageScaleProcessorStep(_ImageStep):
    """Multiplies images by 255."""

    def _changed(self, key: str, image: Tensor) -> Tensor:
        del key
        return image * 255


class ImageToFloatProcessorStep(_ImageStep):
    """Divides images by 255, unless no number in them is above 1.

    Raises:
        FeatureMismatchError: numbers are outside [0, 255].
    """

    def _changed(self, key: str, image: Tensor) -> Tensor:
        if image.max() <= 1.0:
            return image.float()
        if self.config.validate_range:
            _require_range(key, image, 255)
        return image.float() / 255.0


class ImageNetNormalizeProcessorStep(_ImageStep):
    """Scales images `(..., 3, H, W)` by mean and standard deviation of ImageNet.

    Raises:
        FeatureMismatchError: numbers are outside [0, 1].
    """

    def _changed(self, key: str, image: Tensor) -> Tensor:
        _require_range(key, image, 1)
        mean, std = (image.new_tensor(values)[:, None, None] for values in (MEAN, STD))
        return (image - mean) / std


def _require_range(key: str, image: Tensor, highest: int) -> None:
    low, high = image.min().item(), image.max().item()
    if low < 0 or high > highest:
        raise FeatureMismatchError(
            f"{key} has numbers from {low:g} to {high:g}",
            keys=[key],
            expected=f"from 0 to {highest}; an image that is scaled already is not scaled again",
        )


class AddDomainIdProcessorStep(ProcessorStep):
    """Says the domain `(B,)` int64 of every sample."""

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Add it to the complementary data."""
        observation = transition.get(TransitionKey.OBSERVATION) or {}
        rows = next((len(value) for value in observation.values() if isinstance(value, Tensor)), 1)
        data = {**(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})}
        data[DOMAIN] = torch.full((rows,), self.config.domain_id, dtype=torch.long)
        return {**transition, TransitionKey.COMPLEMENTARY_DATA: data}


class Rotation6DToAxisAngleProcessorStep(PolicyActionProcessorStep):
    """Makes actions `(B, 7)` of `(B, D)`: place, axis times angle in rad, and gripper, 1 or -1.

    Raises:
        FeatureMismatchError: an action has too few numbers.
    """

    def action(self, action: Tensor) -> Tensor:
        """See the class."""
        if action.shape[-1] < self.config.expected_action_dim:
            raise FeatureMismatchError(
                f"the action has {action.shape[-1]} numbers",
                keys=["action"],
                expected=f"{self.config.expected_action_dim}: place, two columns of a turn's matrix, gripper",
            )
        gripper = torch.where(action[..., 9:10] > 0.5, 1.0, -1.0).to(action.dtype)
        return torch.cat([action[..., :3], axis_angle(action[..., 3:9]).to(action.dtype), gripper], dim=-1)

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Actions have seven numbers."""
        changed = {key: FeatureSpec(spec.dtype, (7,)) for key, spec in features["action"].items()}
        return {**features, "action": changed}
