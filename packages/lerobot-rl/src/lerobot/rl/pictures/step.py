"""Cuts regions out of pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.step import PipelineFeatures, ProcessorStep
from lerobot.core.processors.transition import EnvTransition, TransitionKey, copied
from lerobot.core.types import FeatureSpec
from lerobot.rl.pictures.config import CropPicturesConfig

OBSERVATION = TransitionKey.OBSERVATION


class CropPicturesStep(ProcessorStep):
    """See `CropPicturesConfig`; pictures `(H, W, 3)` uint8."""

    config: CropPicturesConfig

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Cut, and bring to size."""
        seen: dict[str, Any] = copied(transition.get(OBSERVATION) or {})
        for key, value in seen.items():
            if isinstance(value, np.ndarray) and value.ndim == 3 and value.dtype == np.uint8:
                seen[key] = self._cut(key, value)
        return {**transition, OBSERVATION: seen}

    def _cut(self, key: str, picture: NDArray[Any]) -> NDArray[Any]:
        if (region := self.config.regions.get(key)) is not None:
            top, left, height, width = region
            picture = picture[top : top + height, left : left + width]
        if self.config.size is None or picture.shape[:2] == self.config.size:
            return np.ascontiguousarray(picture)
        height, width = self.config.size
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Change the shapes of pictures.

        Raises:
            FeatureMismatchError: a region is of no camera, or reaches beyond its picture; names it.
        """
        changed = {entry: dict(each) for entry, each in features.items()}
        seen = changed.get("observation", {})
        for key in self.config.regions:
            if key not in seen:
                raise FeatureMismatchError(
                    f"there is no camera {key} to cut out of", keys=[key], expected=", ".join(seen)
                )
        for key, spec in list(seen.items()):
            if isinstance(spec, FeatureSpec) and len(spec.shape) == 3 and spec.dtype == "uint8":
                seen[key] = self._described(key, spec)
        return changed

    def _described(self, key: str, spec: FeatureSpec) -> FeatureSpec:
        top, left, height, width = self.config.regions.get(key, (0, 0, *spec.shape[:2]))
        if min(top, left, height - 1, width - 1) < 0 or top + height > spec.shape[0] or left + width > spec.shape[1]:
            raise FeatureMismatchError(
                f"the region {(top, left, height, width)} reaches beyond the picture of {key}, {spec.shape[:2]}",
                keys=[key],
                expected="top, left, height, width inside it",
            )
        size = self.config.size or (height, width)
        return FeatureSpec(spec.dtype, (*size, spec.shape[2]), spec.names)
