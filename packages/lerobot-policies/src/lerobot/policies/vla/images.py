"""What cameras see, in the one form that a vision-language model takes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.processing.tokenizer import require_tokens
from lerobot.policies.vla.config import VLAConfig


class CameraImages(NamedTuple):
    """Images of one camera.

    Attributes:
        images: `(B, 3, H, W)` in [-1, 1].
        present: `(B,)` bool; false where there is none, and nobody looks.
    """

    images: Tensor
    present: Tensor


def require_batch(config: VLAConfig, name: str, batch: Mapping[str, Any]) -> None:
    """Check that a batch holds the state, tokens of the task, and cameras, but for those that may be missing.

    Raises:
        FeatureMismatchError: it does not; names the key.
    """
    there = {key: feature for key, feature in config.input_features.items() if key in batch}
    needed = [key for key in config.needed_of(there) if key in config.input_features]
    for key in needed:
        if key not in batch:
            raise FeatureMismatchError(
                f"policy {name!r} got no {key!r}",
                keys=[key],
                expected=f"{', '.join(needed)}; given: {', '.join(batch) or 'nothing'}",
            )
    require_tokens(name, batch)
    for key, feature in there.items():
        if key not in config.image_features and tuple(batch[key].shape[-1:]) != feature.shape:
            raise FeatureMismatchError(
                f"{key!r} has the shape {tuple(batch[key].shape)}", keys=[key], expected=f"(B, ...) of {feature.shape}"
            )


def camera_images(
    config: VLAConfig, batch: Mapping[str, Any], resize: Callable[[Tensor], Tensor], empty: int | None = None
) -> list[CameraImages]:
    """Give the images of cameras: those that are there in the order of the inputs, then empty ones.

    Args:
        config: of the policy.
        batch: with images `(B, 3, H, W)` or `(B, T, 3, H, W)` in [0, 1], of which the last counts.
        resize: brings `(B, 3, H, W)` to the size that the network takes; what it fills is 0.
        empty: how many of the missing cameras take part as empty ones; None for all.
    """
    found = []
    for key in (key for key in config.image_features if key in batch):
        images = batch[key][:, -1] if batch[key].ndim == 5 else batch[key]
        mask = batch.get(f"{key}_padding_mask")
        present = torch.ones(images.shape[0], dtype=torch.bool, device=images.device) if mask is None else mask.bool()
        found.append(CameraImages(resize(images) * 2.0 - 1.0, present))
    missing = len(config.image_features) - len(found)
    blank = CameraImages(torch.full_like(found[-1].images, -1.0), torch.zeros_like(found[-1].present))
    return [*found, *[blank] * (missing if empty is None else min(missing, empty))]
