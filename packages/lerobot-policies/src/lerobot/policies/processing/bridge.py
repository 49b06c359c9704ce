"""Between numpy, as environments speak it, and tensors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.images import network_images
from lerobot.core.processors import ActionProcessorStep, ObservationProcessorStep, PolicyActionProcessorStep
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec
from lerobot.policies.features import OBSERVATION_ENVIRONMENT_STATE, OBSERVATION_STATE
from lerobot.policies.processing.batch import IMAGE, IMAGES

_STATES = {"environment_state": OBSERVATION_ENVIRONMENT_STATE, "agent_pos": OBSERVATION_STATE}


class NumpyToTorchActionProcessorStep(ActionProcessorStep):
    """Makes a tensor of a numpy action, of the same type."""

    def action(self, action: Any) -> Any:
        """Convert; the tensor does not share memory with what an environment may write to."""
        if not isinstance(action, np.ndarray):
            raise FeatureMismatchError(
                f"the action is a {type(action).__name__}", keys=["action"], expected="a numpy array"
            )
        return torch.from_numpy(action.copy())


class TorchToNumpyActionProcessorStep(PolicyActionProcessorStep):
    """Makes a numpy array of a tensor action, without the batch axis of a single one."""

    def action(self, action: Any) -> Any:
        """Convert."""
        if not isinstance(action, Tensor):
            raise FeatureMismatchError(f"the action is a {type(action).__name__}", keys=["action"], expected="a tensor")
        array = action.detach().cpu().numpy()
        single = self.config.squeeze_batch_dim and array.ndim > 1 and array.shape[0] == 1
        return array[0] if single else array


class GymObservationProcessorStep(ObservationProcessorStep):
    """Turns a Gymnasium observation into that of a dataset, with a batch axis.

    `pixels` becomes `observation.image`, or `observation.images.<camera>` for a dict of images: `(H, W, C)` uint8
    becomes `(1, C, H, W)` float32 in [0, 1]. `agent_pos` becomes `observation.state` and `environment_state`
    `observation.environment_state`, float32. Other keys stay.
    """

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Convert."""
        for key, value in _images(observation.pop("pixels", {})).items():
            observation[key] = _image(key, value)
        for old, new in _STATES.items():
            if old in observation:
                state = torch.as_tensor(observation.pop(old)).float()
                observation[new] = state.unsqueeze(0) if state.ndim == 1 else state
        return observation

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Rename; images have their channels first."""
        changed: dict[str, FeatureSpec] = {}
        for key, feature in features["observation"].items():
            short = key.removeprefix("observation.")
            if short == "pixels" or short.startswith("pixels."):
                height, width, channels = feature.shape
                name = IMAGE if short == "pixels" else IMAGES + short.removeprefix("pixels.")
                changed[name] = FeatureSpec("float32", (channels, height, width))
            else:
                changed[_STATES.get(short, key)] = feature
        return {**features, "observation": changed}


def _images(pixels: Any) -> dict[str, Any]:
    if isinstance(pixels, Mapping):
        return {f"{IMAGES}{camera}": image for camera, image in pixels.items()}
    return {IMAGE: pixels}


def _image(key: str, value: Any) -> Tensor:
    image = torch.as_tensor(value)
    image = image.unsqueeze(0) if image.ndim == 3 else image
    if image.ndim != 4 or image.dtype != torch.uint8 or image.shape[-1] not in {1, 3, 4}:
        raise FeatureMismatchError(
            f"{key} has the shape {tuple(image.shape)} and the type {image.dtype}",
            keys=[key],
            expected="images (H, W, C) or (B, H, W, C), uint8, of 1, 3 or 4 channels",
        )
    converted: Tensor = network_images(image)
    return converted


def to_tensor(value: Any) -> Tensor:
    """Make a tensor of what a robot measured, as datasets give it.

    Args:
        value: a vector, a colour image `(H, W, 3)` uint8, or a depth map `(H, W, 1)` uint16 in millimetres.

    Returns:
        The vector; the image as `(3, H, W)` float32 in [0, 1]; the depth map as `(1, H, W)` float32 in millimetres.
    """
    array = np.ascontiguousarray(value)
    if array.ndim != 3:
        return torch.from_numpy(array)
    # numpy converts every type torch does not have, such as uint16. A copy: torch warns of memory it may not write to.
    image: Tensor = network_images(torch.from_numpy(array.astype(np.uint8 if array.dtype == np.uint8 else np.float32)))
    return image
