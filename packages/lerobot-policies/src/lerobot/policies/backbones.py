"""Names of backbones for images and of the weights they start from. Light: it imports no array library."""

import re
from typing import Literal

from pydantic_core import PydanticCustomError

Backbone = Literal["resnet8", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

_WEIGHTS = re.compile(r"(ResNet\d+)_Weights\.(IMAGENET1K_V1|IMAGENET1K_V2|DEFAULT)")


def require_weights_of(backbone: Backbone, weights: str | None) -> None:
    """Check that pretrained weights are a backbone's own.

    Args:
        backbone: its name.
        weights: such as `"ResNet18_Weights.IMAGENET1K_V1"`; None for random ones.

    Raises:
        PydanticCustomError: they are another network's, or unknown.
    """
    own = backbone.replace("resnet", "ResNet")
    if weights is not None and backbone == "resnet8":
        raise PydanticCustomError("no_weights", "pretrained_backbone_weights=null, for nobody publishes any of resnet8")
    if weights is not None and ((found := _WEIGHTS.fullmatch(weights)) is None or found[1] != own):
        raise PydanticCustomError(
            "backbone_weights",
            "pretrained_backbone_weights of {backbone} ({own}_Weights.IMAGENET1K_V1) or null",
            {"backbone": backbone, "own": own},
        )
