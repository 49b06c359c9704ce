"""Observations of LIBERO's own environment, as programs for huggingface/lerobot step it, laid out for policies."""

from typing import Any

import numpy as np
import torch

from lerobot.core.processors import ObservationProcessorStep
from lerobot.core.processors.step import PipelineFeatures
from lerobot.core.types import FeatureSpec
from lerobot.libero.observation import state_vector

RAW_STATE = "observation.robot_state"
IMAGES = "observation.images."
STATE = "observation.state"


class LiberoProcessorStep(ObservationProcessorStep):
    """Makes the state of 8 of `observation.robot_state` and turns pictures `(B, C, H, W)` by 180 degrees.

    What the environment `libero` shows is laid out already: an observation without a raw state stays as it is.
    """

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Lay it out; the raw state is nested: `eef` with `pos` and `quat`, `gripper` with `qpos`, each with rows."""
        raw = observation.pop(RAW_STATE, None)
        if raw is None:
            return observation
        rows = zip(*(np.asarray(part) for part in _parts(raw)), strict=True)
        state = torch.from_numpy(np.stack([state_vector(*row) for row in rows]))
        turned = {
            key: torch.flip(torch.as_tensor(value), dims=(-2, -1)) if key.startswith(IMAGES) else value
            for key, value in observation.items()
        }
        return {**turned, STATE: state}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """A raw state becomes the state."""
        raw = [key for key in features["observation"] if key.startswith(RAW_STATE)]
        if not raw:
            return features
        kept = {key: spec for key, spec in features["observation"].items() if key not in raw}
        return {**features, "observation": {**kept, STATE: FeatureSpec("float32", (8,))}}


def _parts(raw: dict[str, Any]) -> tuple[Any, Any, Any]:
    return raw["eef"]["pos"], raw["eef"]["quat"], raw["gripper"]["qpos"]
