"""Random changes of pictures as a function of one picture."""

import torch
from torch import Tensor

from lerobot.training.augmentation.config import ImageTransformsConfig
from lerobot.training.augmentation.draws import Augmentation


class ImageTransforms:
    """Changes each picture, or window of pictures, at random; for `image_transforms` of a dataset.

    Args:
        cfg: which changes, and how many of them.
    """

    def __init__(self, cfg: ImageTransformsConfig) -> None:
        self._enabled = cfg.enable
        self._augmentation = Augmentation(cfg, ["picture"], seed=int(torch.initial_seed()) % 2**32)
        self._step = 0

    def __call__(self, picture: Tensor) -> Tensor:
        """Change a picture `(..., C, H, W)`; all of a window alike."""
        if not self._enabled:
            return picture
        self._step += 1
        changed: Tensor = self._augmentation({"picture": picture.unsqueeze(0)}, self._step)["picture"].squeeze(0)
        return changed
