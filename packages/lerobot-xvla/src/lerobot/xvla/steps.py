"""Steps before and behind X-VLA.

Source: names, settings and values are those of huggingface/lerobot 0.6.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

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


def axis_angle(columns: Tensor) -> Tensor:
    """Give the axis times the angle in rad, `(..., 3)` float64, of a turn.

    Args:
        columns: the first two columns of its matrix, one after the other, `(..., 6)`; made upright and of length 1.

    Source:
        Zhou et al. 2019, arXiv:1812.07035; the quaternion is the eigenvector of a symmetric matrix: Bar-Itzhack 2000.
    """
    first, second = columns[..., :3].double(), columns[..., 3:].double()
    x = first / (first.norm(dim=-1, keepdim=True) + 1e-6)
    y = second - (x * second).sum(-1, keepdim=True) * x
    y = y / (y.norm(dim=-1, keepdim=True) + 1e-6)
    turn = torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)
    # The matrix whose largest eigenvalue belongs to the quaternion (x, y, z, w).
    trace = turn.diagonal(dim1=-2, dim2=-1).sum(-1)
    skew = turn - turn.mT
    axis = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], dim=-1)
    upper = turn + turn.mT - trace[..., None, None] * torch.eye(3, dtype=turn.dtype, device=turn.device)
    symmetric = F.pad(upper, (0, 1, 0, 1))
    symmetric[..., 3, :3] = symmetric[..., :3, 3] = axis
    symmetric[..., 3, 3] = trace
    quaternion = torch.linalg.eigh(symmetric).eigenvectors[..., -1]
    quaternion = torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    sine = quaternion[..., :3].norm(dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(sine, quaternion[..., 3:])
    return quaternion[..., :3] * torch.where(sine > 0, angle / sine.clamp(min=torch.finfo(sine.dtype).tiny), 0.0)
