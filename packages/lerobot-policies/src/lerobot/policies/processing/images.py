"""Parts of images, in another size.

Source: keys and order of huggingface/lerobot 0.6; sizes change by area-weighted bilinear interpolation, as in
torchvision.
"""

from typing import Any

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - everybody calls it so

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import ObservationProcessorStep
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec
from lerobot.policies.processing.config import ImageCropResizeConfig

Crop = tuple[int, int, int, int]
"""Top, left, height, width."""


class ImageCropResizeProcessorStep(ObservationProcessorStep):
    """Cuts images `(..., C, H, W)` float out, then resizes all images; those are what has "image" in its key.

    Colours end up in [0, 1]; depth maps, which have one channel, keep their millimetres.

    Raises:
        FeatureMismatchError: an image is not made of floats, or smaller than what is to be cut out.
    """

    config: ImageCropResizeConfig

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Cut and resize."""
        return {key: self._changed(key, value) if "image" in key else value for key, value in observation.items()}

    def _changed(self, key: str, image: Tensor) -> Tensor:
        crop, size = self._crop(key), self.config.resize_size
        if crop is not None:
            top, left, height, width = _inside(key, crop, image.shape)
            image = image[..., top : top + height, left : left + width]
        if size is None:
            return image
        if not image.is_floating_point():
            raise FeatureMismatchError(
                f"{key} is made of {image.dtype}", keys=[key], expected="float images, as datasets give them"
            )
        *batch, channels, height, width = image.shape
        single = image.reshape(-1, channels, height, width)
        # No kernel of MPS does this.
        single = single.cpu() if image.device.type == "mps" else single
        resized = F.interpolate(single, size, mode="bilinear", antialias=True)
        if channels > 1:
            resized = resized.clamp(0.0, 1.0)
        return resized.reshape(*batch, channels, *size).to(image.device)

    def _crop(self, key: str) -> Crop | None:
        return (self.config.crop_params_dict or {}).get(key)

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Give images their new size."""
        changed = {key: self._feature(key, feature) for key, feature in features["observation"].items()}
        return {**features, "observation": changed}

    def _feature(self, key: str, feature: FeatureSpec) -> FeatureSpec:
        crop = self._crop(key)
        size = self.config.resize_size or (crop[2:] if crop is not None else None)
        if "image" not in key or size is None:
            return feature
        return FeatureSpec(feature.dtype, (*feature.shape[:-2], *size))


def _inside(key: str, crop: Crop, shape: tuple[int, ...]) -> Crop:
    top, left, height, width = crop
    if min(top, left) < 0 or min(height, width) < 1 or top + height > shape[-2] or left + width > shape[-1]:
        raise FeatureMismatchError(
            f"crop {crop} reaches out of {key}, which is {shape[-2]} x {shape[-1]}",
            keys=[key],
            expected="top, left, height, width inside the image",
        )
    return crop
